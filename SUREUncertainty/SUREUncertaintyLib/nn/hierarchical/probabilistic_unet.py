"""Probabilistic U-Net: one global latent for the whole image, joined to the last feature map. For comparisons.

Source: S. Kohl et al., "A Probabilistic U-Net for Segmentation of Ambiguous Images", NeurIPS 2018; restated on our
backbone with latents off. It offers the same halves as ``LatentUNet`` (encode once, decode often), with one level of
one location.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..evidential import to_one_hot
from ..initialisation import initialise
from ..unet import Encoder
from .elbo import LatentTraining
from .gaussian_head import Gaussian, GaussianHead
from .latent_unet import LatentUNet


class PooledEncoder(Encoder):
    """An encoder whose deepest features are averaged over the image."""

    def __init__(self, spatial_dims: int, in_channels: int, channels: Sequence[int], norm: str) -> None:
        super().__init__(spatial_dims, in_channels, channels, norm)
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """(B, in_channels, ...) to (B, channels[-1], 1, ...)."""
        deepest, _ = self.encode(image)
        return deepest.mean(dim=tuple(range(2, deepest.ndim)), keepdim=True)


class ProbabilisticUNet(nn.Module, LatentTraining):
    """U-Net, prior net p(z | x), posterior net q(z | x, y) and three 1x1(x1) convolutions that join z to the features.

    Args:
        spatial_dims, in_channels, out_channels, channels, norm: as for ``nn.unet.UNet``.
        latent_dim: numbers in z; 6 in the publication.

    Shapes:
        ``forward``: (B, in_channels, ...) -> (B, out_channels, ...), sizes multiples of the U-Net's stride.
    """

    latent_mode = "gaussian"
    posterior_kind = "separate"
    levels = 1
    decoder_skips = 0
    level_strides = (1,)
    """z has one location whatever the image's size: its weight in the loss is given as a number, never ``"elbo"``."""

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int] = (16, 32, 64, 128),
        norm: str = "instance",
        latent_dim: int = 6,
    ) -> None:
        super().__init__()
        self.spatial_dims, self.classes, self.latent_dim = spatial_dims, out_channels, latent_dim
        width, convolution = channels[0], nn.Conv2d if spatial_dims == 2 else nn.Conv3d
        self.backbone = LatentUNet(spatial_dims, in_channels, out_channels, channels, norm, latent_mode="off")
        self.prior_net = PooledEncoder(spatial_dims, in_channels, channels, norm)
        self.posterior_net = PooledEncoder(spatial_dims, in_channels + out_channels, channels, norm)
        self.from_features = convolution(width, width, kernel_size=1)
        self.from_latent = convolution(latent_dim, width, kernel_size=1, bias=False)
        self.tail = nn.Sequential(
            nn.ReLU(), convolution(width, width, kernel_size=1), nn.ReLU(), convolution(width, out_channels, 1)
        )
        for part in (self.from_features, self.from_latent, self.tail):
            initialise(part)
        self.prior_head = GaussianHead(spatial_dims, channels[-1], latent_dim)
        self.posterior_head = GaussianHead(spatial_dims, channels[-1], latent_dim)

    def encode(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The U-Net's last features (B, channels[0], ...), and the prior net's pooled ones."""
        bottleneck, skips = self.backbone.encode(image)
        zeros = [gaussian.mean for gaussian in self.backbone.prior(skips)]
        return self.backbone.features(bottleneck, skips, zeros), [self.prior_net(image)]

    def prior(self, skips: Sequence[Tensor]) -> list[Gaussian]:
        """p(z | x), (B, latent_dim, 1, ...)."""
        return [self.prior_head(skips[0])]

    def posterior(self, image: Tensor, label: Tensor) -> list[Gaussian]:
        """q(z | x, y); ``label`` (B, ...) integers."""
        reference = torch.cat([image, to_one_hot(label, self.classes).to(image.dtype)], 1)
        return [self.posterior_head(self.posterior_net(reference))]

    def decode(self, bottleneck: Tensor, skips: Sequence[Tensor], latents: Sequence[Tensor]) -> Tensor:
        """Logits for z (N, latent_dim, 1, ...); with features of one image N may be any number."""
        logits: Tensor = self.tail(self.from_features(bottleneck) + self.from_latent(latents[0]))
        return logits

    def forward(self, image: Tensor) -> Tensor:
        """Logits with z at the prior's mean."""
        features, skips = self.encode(image)
        return self.decode(features, skips, [self.prior(skips)[0].mean])
