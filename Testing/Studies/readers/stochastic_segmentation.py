"""Stochastic segmentation network: a Gaussian of low rank over the logits of a whole image. For the comparison.

M. Monteiro et al., "Stochastic Segmentation Networks: Modelling Spatially Correlated Aleatoric Uncertainty", NeurIPS
2020, restated on the comparison's backbone: rank 10, 20 draws in pairs of opposite signs, diagonal exp(.) + 1e-5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from SUREUncertaintyLib.nn.hierarchical.latent_unet import LatentUNet
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

LEAST_VARIANCE = 1e-5
FIRST_FACTOR, FIRST_LOG_VARIANCE = 0.05, -4.0


@dataclass(frozen=True)
class LogitGaussian:
    """N(mean, factor factor^T + diag(std^2)) over classes and pixels together.

    Attributes:
        mean, std: (B, C, H, W).
        factor: (B, rank, C, H, W).
    """

    mean: Tensor
    std: Tensor
    factor: Tensor

    def deviations(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draws less the mean, (count, B, C, H, W)."""
        shared = torch.randn((count, *self.factor.shape[:2], 1, 1, 1), generator=generator)
        own = torch.randn((count, *self.mean.shape), generator=generator)
        return (self.factor * shared).sum(2) + self.std * own

    def draw(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Logits (count, B, C, H, W)."""
        return self.mean + self.deviations(count, generator)

    def draw_pairs(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """As ``draw`` with an even ``count``: each draw and the one mirrored at the mean."""
        half = self.deviations(count // 2, generator)
        return self.mean + torch.cat([half, -half])


class StochasticSegmentation(nn.Module):
    """The U-Net of the comparison, whose head makes the mean, and two 1x1 convolutions for the covariance.

    Args:
        in_channels, out_channels, channels, norm: as for ``nn.unet.UNet``.
        rank: columns of the covariance's factor.
        draws: of the likelihood's Monte Carlo integral in training, even.

    Shapes:
        ``forward``: (B, in_channels, H, W) -> (B, out_channels, H, W), the mean.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int],
        norm: str = "instance",
        rank: int = 10,
        draws: int = 20,
    ) -> None:
        super().__init__()
        if spatial_dims != 2 or draws % 2:
            raise ValueError(f"two dimensions and an even number of draws, got {spatial_dims} and {draws}")
        self.classes, self.rank, self.draws = out_channels, rank, draws
        self.backbone = LatentUNet(spatial_dims, in_channels, out_channels, channels, norm, latent_mode="off")
        self.log_variance = nn.Conv2d(channels[0], out_channels, kernel_size=1)
        self.factor = nn.Conv2d(channels[0], out_channels * rank, kernel_size=1)
        self._start_quietly()

    def _start_quietly(self) -> None:
        """Nearly no covariance, as the network without latents that the comparison starts from."""
        nn.init.normal_(self.factor.weight, std=FIRST_FACTOR)
        nn.init.zeros_(torch.as_tensor(self.factor.bias))
        nn.init.zeros_(self.log_variance.weight)
        nn.init.constant_(torch.as_tensor(self.log_variance.bias), FIRST_LOG_VARIANCE)

    def distribution(self, image: Tensor) -> LogitGaussian:
        """The Gaussian over the logits of an image (B, in_channels, H, W)."""
        bottleneck, skips = self.backbone.encode(image)
        zeros = [gaussian.mean for gaussian in self.backbone.prior(skips)]
        features = self.backbone.features(bottleneck, skips, zeros)
        mean = self.backbone.head(features).float()
        std = (self.log_variance(features).float().exp() + LEAST_VARIANCE).sqrt()
        factor = self.factor(features).float().unflatten(1, (self.rank, self.classes))
        return LogitGaussian(mean, std, factor)

    def forward(self, image: Tensor) -> Tensor:
        """The mean of the logits."""
        return self.distribution(image).mean

    def loss(self, image: Tensor, label: Tensor, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """``loss``: -ln of the mean over draws of the label's likelihood, a pixel; its mean over images.

        Args:
            label: (B, H, W) integers.
        """
        samples = self.distribution(image).draw_pairs(self.draws, generator)
        return {"loss": negative_log_likelihood(samples, label) / label[0].numel()}

    def draw(self, image: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Logits (count, C, H, W) of samples of one image (1, in_channels, H, W)."""
        return self.distribution(image).draw(count, generator)[:, 0]


def negative_log_likelihood(samples: Tensor, label: Tensor) -> Tensor:
    """-ln (1/N) sum_n prod_pixels p_n(y), mean over images, nats an image; ``samples`` logits (N, B, C, H, W)."""
    terms = [cross_entropy(sample, label, reduction="none").flatten(1).sum(1) for sample in samples]
    likelihood = torch.logsumexp(-torch.stack(terms), dim=0) - math.log(len(samples))
    return -likelihood.mean()
