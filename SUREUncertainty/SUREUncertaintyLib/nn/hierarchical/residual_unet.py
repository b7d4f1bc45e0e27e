"""U-Net whose answer stands by itself, and latents on its skips to a second, small decoder that makes the samples.

Latents on skips after X. Bai, W. Bai, arXiv 2308.08465 (2023), see ``latent_unet.py``. There the decoder also sees the
skip's features, and learns to do without most latents. Here a second decoder sees nothing but the latents; what it adds
to the logits of the U-Net is all that sets samples apart, so a level is used or useless, never a copy of the skip.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..evidential import to_one_hot
from .elbo import LatentTraining
from .gaussian_head import Gaussian, GaussianHead
from .latent_samples import LatentSamples
from .latent_unet import LatentUNet, PosteriorEncoder
from .level_decoder import LevelDecoder


class ResidualLatentUNet(nn.Module, LatentTraining, LatentSamples):
    """Logits of a sample: those of the U-Net + R(z) - R(mean of z), with R the sum of a ``LevelDecoder``.

    With every latent at its mean this is the U-Net's own answer: its accuracy owes nothing to the latents. The prior of
    level l is read from the U-Net's decoder at that level, so that fine levels know where the outline is. Levels are
    conditionally independent given the image: a window is encoded once and decoded many times.

    Args:
        spatial_dims, in_channels, out_channels, channels, norm: as for ``nn.unet.UNet``; there are
            ``len(channels) - 1`` levels.
        latent_dim: channels of every latent map.
        posterior: ``"separate"``, or ``"none"`` for a network that is only used.
        logsigma_clamp: bounds of log sigma.
        level_width, level_bounds: ``width`` and ``bounds`` of ``LevelDecoder``.

    Shapes:
        ``forward``: (B, in_channels, ...) -> (B, out_channels, ...), sizes multiples of ``stride``; the U-Net's answer.
    """

    latent_mode = "gaussian"
    decoder_skips = 0

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int] = (16, 32, 64, 128),
        norm: str = "instance",
        latent_dim: int = 1,
        posterior: str = "separate",
        logsigma_clamp: Sequence[float] = (-7.0, 3.0),
        level_width: int = 16,
        level_bounds: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if posterior not in ("separate", "none"):
            raise ValueError(f"posterior must be one of separate, none, got {posterior!r}")
        self.spatial_dims, self.classes, self.latent_dim = spatial_dims, out_channels, latent_dim
        self.posterior_kind, self.levels = posterior, len(channels) - 1
        self.backbone = LatentUNet(spatial_dims, in_channels, out_channels, channels, norm, latent_mode="off")
        head: dict[str, Any] = {"latent_dim": latent_dim, "clamp": tuple(logsigma_clamp)}
        self.heads = nn.ModuleList(GaussianHead(spatial_dims, width, **head) for width in channels[:-1])
        self.level_decoder = LevelDecoder(
            spatial_dims, out_channels, self.levels, latent_dim, level_width, level_bounds
        )
        if posterior == "separate":
            self.posterior_encoder = PosteriorEncoder(spatial_dims, in_channels + out_channels, channels, norm, head)

    @property
    def stride(self) -> int:
        """Spatial sizes must be multiples of this."""
        return self.backbone.stride

    @property
    def head(self) -> nn.Module:
        """The convolution that makes the U-Net's logits."""
        return self.backbone.head

    @property
    def level_strides(self) -> tuple[int, ...]:
        """Pixels of the image a location of each level, along one axis; finest first."""
        return self.backbone.level_strides

    def encode(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The U-Net's logits less R(mean), and mean and log sigma of every level (B, 2 latent_dim, ...)."""
        logits, parameters = self._answer(image)
        means = [gaussian.mean for gaussian in self.prior(parameters)]
        return logits - self.level_decoder(means), parameters

    def prior(self, skips: Sequence[Tensor]) -> list[Gaussian]:
        """p(z_l | x) of every level, finest first."""
        return [Gaussian(*skip.chunk(2, dim=1)) for skip in skips]

    def posterior(self, image: Tensor, label: Tensor) -> list[Gaussian]:
        """q(z_l | x, y) of every level; ``label`` (B, ...) integers.

        Raises:
            ValueError: this network has no posterior.
        """
        if self.posterior_kind == "none":
            raise ValueError("this network has no posterior: it can be used but not trained")
        reference = torch.cat([image, to_one_hot(label, self.classes).to(image.dtype)], 1)
        gaussians: list[Gaussian] = self.posterior_encoder(reference)
        return gaussians

    def decode(self, bottleneck: Tensor, skips: Sequence[Tensor], latents: Sequence[Tensor]) -> Tensor:
        """Logits; ``latents`` (N, latent_dim, ...) a level. With features of one window N may be any number."""
        return bottleneck + self.level_decoder(latents)

    def partial_sums(self, bottleneck: Tensor, latents: Sequence[Tensor]) -> list[Tensor]:
        """Logits with the levels from the coarsest down to each, finest first: the first is ``decode``'s."""
        sums = self.level_decoder.sums(latents)
        return [
            bottleneck + (self.level_decoder.up(part, 2**level) if level else part) for level, part in enumerate(sums)
        ]

    def forward(self, image: Tensor) -> Tensor:
        """The U-Net's logits: those of every latent at its mean."""
        return self._answer(image)[0]

    def _answer(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        pyramid = self.backbone.pyramid(*self.backbone.encode(image))
        priors = [head(features) for head, features in zip(self.heads, pyramid, strict=True)]
        logits: Tensor = self.head(pyramid[0])
        return logits, [torch.cat([gaussian.mean, gaussian.log_std], 1) for gaussian in priors]
