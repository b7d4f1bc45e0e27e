"""U-Net with a latent map on every skip: hierarchical uncertainty.

Source of the method: X. Bai, W. Bai, "Hierarchical Uncertainty Estimation for Medical Image Segmentation Networks",
arXiv 2308.08465 (2023), and the probable reference code ``BXYMartin/Python-Uncertainty_Aware_Vision_Transformer``
(Apache-2.0); restated in our own words and on our own backbone, no code reused. What differs from the reference and
why is written in ``presets.py``.

Levels are conditionally independent given the image: heads read encoder skips only. That is what allows a window to
be encoded once and decoded many times.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ..evidential import to_one_hot
from ..initialisation import initialise
from ..unet import Encoder, block_options
from .decoder import LatentUp
from .elbo import LatentTraining
from .gaussian_head import Gaussian, GaussianHead
from .latent_samples import LatentSamples

LATENT_MODES = ("gaussian", "noise", "off")
POSTERIORS = ("separate", "shared", "none")
POSTERIOR_INPUTS = ("image+label", "label")


class PosteriorEncoder(Encoder):
    """A second encoder with heads of its own, which sees the reference; only training needs it."""

    def __init__(
        self, spatial_dims: int, in_channels: int, channels: Sequence[int], norm: str, head: dict[str, Any]
    ) -> None:
        super().__init__(spatial_dims, in_channels, channels, norm)
        # what comes out at the bottleneck is never read
        self.down = self.down[:-1]
        initialise(self)
        self.heads = nn.ModuleList(GaussianHead(spatial_dims, width, **head) for width in channels[:-1])

    def forward(self, reference: Tensor) -> list[Gaussian]:
        """One Gaussian a level, finest first."""
        deepest, skips = self.encode(reference)
        return [head(skip) for head, skip in zip(self.heads, [*skips, deepest], strict=True)]


class LatentUNet(Encoder, LatentTraining, LatentSamples):
    """Encoder-decoder whose skips s_l each carry a latent map z_l of ``latent_dim`` channels beside the features.

    Args:
        spatial_dims, in_channels, out_channels, channels, norm, dropout: as for ``nn.unet.UNet``; there are
            ``len(channels) - 1`` levels, and none on the bottleneck.
        latent_mode: ``"gaussian"``; ``"noise"``: z ~ N(0, 1) without heads, the control; ``"off"``: z = 0.
        posterior: ``"separate"`` encoder and heads, ``"shared"`` with the prior (reference code), or ``"none"`` for a
            network that is only used.
        posterior_input: ``"image+label"`` (one-hot) or ``"label"`` (class numbers as intensities, reference code).
        logsigma_clamp: bounds of log sigma, or None.

    Shapes:
        ``forward``: (B, in_channels, ...) -> (B, out_channels, ...), sizes multiples of ``stride``; z at its mean.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int] = (16, 32, 64, 128),
        norm: str = "instance",
        dropout: float = 0.0,
        latent_dim: int = 1,
        latent_mode: str = "gaussian",
        posterior: str = "separate",
        posterior_input: str = "image+label",
        logsigma_clamp: Sequence[float] | None = (-7.0, 3.0),
    ) -> None:
        super().__init__(spatial_dims, in_channels, channels, norm, dropout)
        _check("latent_mode", latent_mode, LATENT_MODES)
        _check("posterior", posterior, POSTERIORS)
        _check("posterior_input", posterior_input, POSTERIOR_INPUTS)
        if posterior == "shared" and posterior_input != "label":
            raise ValueError("a shared posterior encoder has no channels for image and label: posterior_input='label'")
        self.spatial_dims, self.classes = spatial_dims, out_channels
        self.latent_dim, self.latent_mode = latent_dim, latent_mode
        self.posterior_input = posterior_input
        block = block_options(norm, dropout)
        steps = list(pairwise(channels))
        self.up = nn.ModuleList(LatentUp(spatial_dims, coarse, fine, latent_dim, block) for fine, coarse in steps)
        convolution = nn.Conv2d if spatial_dims == 2 else nn.Conv3d
        self.head = convolution(channels[0], out_channels, kernel_size=1)
        initialise(self)
        self.posterior_kind = posterior if latent_mode == "gaussian" else "none"
        self._add_latents(in_channels, norm, None if logsigma_clamp is None else tuple(logsigma_clamp))

    def _add_latents(self, in_channels: int, norm: str, clamp: tuple[float, ...] | None) -> None:
        if self.latent_mode != "gaussian":
            return
        head: dict[str, Any] = {"latent_dim": self.latent_dim, "clamp": clamp}
        self.heads = nn.ModuleList(GaussianHead(self.spatial_dims, width, **head) for width in self.channels[:-1])
        if self.posterior_kind == "separate":
            extra = self.classes if self.posterior_input == "image+label" else 0
            self.posterior_encoder = PosteriorEncoder(self.spatial_dims, in_channels + extra, self.channels, norm, head)

    @property
    def levels(self) -> int:
        """Number of latent levels."""
        return len(self.up)

    @property
    def decoder_skips(self) -> int:
        """How many of the skips the decoder reads."""
        return self.levels

    @property
    def level_strides(self) -> tuple[int, ...]:
        """Pixels of the image a location of each level, along one axis; finest first."""
        return tuple(2**level for level in range(self.levels))

    def prior(self, skips: Sequence[Tensor]) -> list[Gaussian]:
        """p(z_l | x) of every level, finest first; N(0, 1) in noise mode, and sigma = 0 when latents are off."""
        if self.latent_mode == "gaussian":
            return [head(skip) for head, skip in zip(self.heads, skips, strict=True)]
        log_std = 0.0 if self.latent_mode == "noise" else float("-inf")
        means = [skip.new_zeros((skip.shape[0], self.latent_dim, *skip.shape[2:])) for skip in skips]
        return [Gaussian(mean, torch.full_like(mean, log_std)) for mean in means]

    def posterior(self, image: Tensor, label: Tensor) -> list[Gaussian]:
        """q(z_l | x, y) of every level; ``label`` (B, ...) integers.

        Raises:
            ValueError: this network has no posterior.
        """
        return self.posterior_of(self._reference(image, label))

    def posterior_of(self, reference: Tensor) -> list[Gaussian]:
        """The posterior for a tensor that is already what its encoder wants."""
        if self.posterior_kind == "none":
            raise ValueError("this network has no posterior: it can be used but not trained")
        if self.posterior_kind == "shared":
            return self.prior(self.encode(reference)[1])
        gaussians: list[Gaussian] = self.posterior_encoder(reference)
        return gaussians

    def decode(self, bottleneck: Tensor, skips: Sequence[Tensor], latents: Sequence[Tensor]) -> Tensor:
        """Logits; ``latents`` (N, latent_dim, ...) a level. With features of one window N may be any number."""
        logits: Tensor = self.head(self.features(bottleneck, skips, latents))
        return logits

    def features(self, bottleneck: Tensor, skips: Sequence[Tensor], latents: Sequence[Tensor]) -> Tensor:
        """The last feature map (N, channels[0], ...), from which ``head`` reads the logits."""
        features = bottleneck
        for block, skip, latent in zip(reversed(self.up), reversed(skips), reversed(latents), strict=True):
            features = block(features, skip, latent)
        return features

    def pyramid(self, bottleneck: Tensor, skips: Sequence[Tensor]) -> list[Tensor]:
        """The decoder's features of every level with latents at the prior's mean, finest first."""
        found = [bottleneck]
        means = [gaussian.mean for gaussian in self.prior(skips)]
        for block, skip, mean in zip(reversed(self.up), reversed(skips), reversed(means), strict=True):
            found.append(block(found[-1], skip, mean))
        return found[:0:-1]

    def forward(self, image: Tensor) -> Tensor:
        """Logits with every z at the prior's mean: the deterministic prediction."""
        bottleneck, skips = self.encode(image)
        return self.decode(bottleneck, skips, [gaussian.mean for gaussian in self.prior(skips)])

    def _reference(self, image: Tensor, label: Tensor) -> Tensor:
        if self.posterior_input == "image+label":
            return torch.cat([image, to_one_hot(label, self.classes).to(image.dtype)], 1)
        return label[:, None].to(image.dtype).expand(-1, image.shape[1], *label.shape[1:])


def _check(name: str, value: str, options: Sequence[str]) -> None:
    if value not in options:
        raise ValueError(f"{name} must be one of {', '.join(options)}, got {value!r}")
