"""PHiSeg: latents of every resolution, each drawn given the next coarser one, whose logits add up. For the comparison.

C. Baumgartner et al., "PHiSeg: Capturing Uncertainty in Medical Image Segmentation", MICCAI 2019, restated on blocks
and widths of the comparison's backbone: two convolutions with instance norm where theirs has two or three with batch
norm, and latents from the second resolution on (theirs leaves out two of seven). The likelihood sees latents alone. The
loss is theirs: cross-entropy of every partial sum (deep supervision) + 4^l KL of level l, both sums over locations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from monai.networks.nets.basic_unet import TwoConv
from SUREUncertaintyLib.nn.evidential import to_one_hot
from SUREUncertaintyLib.nn.hierarchical.gaussian_head import Gaussian, kl_divergence
from SUREUncertaintyLib.nn.initialisation import initialise
from SUREUncertaintyLib.nn.unet import Encoder, block_options
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate, softplus

LEAST_STD = 1e-5
LEVEL_BASE = 4.0
"""KL of level l, 0 the finest, counts 4^l times: half as many locations along both axes a level."""


class LatentChain(nn.Module):
    """Gaussians of every level, coarsest first, each given the image's features and the next coarser latent.

    Prior (of the image) and posterior (of image and label) are one each.
    """

    def __init__(self, in_channels: int, channels: Sequence[int], norm: str, latent_dim: int) -> None:
        super().__init__()
        block = block_options(norm, 0.0)
        self.backbone = Encoder(2, in_channels, channels, norm)
        widths = channels[1:]
        self.lift = nn.ModuleList(TwoConv(2, latent_dim, latent_dim * channels[0], **block) for _ in widths[:-1])
        self.join = nn.ModuleList(TwoConv(2, width + latent_dim * channels[0], width, **block) for width in widths[:-1])
        initialise(self)
        self.mean = nn.ModuleList(nn.Conv2d(width, latent_dim, kernel_size=1) for width in widths)
        self.spread = nn.ModuleList(nn.Conv2d(width, latent_dim, kernel_size=1) for width in widths)

    def features(self, reference: Tensor) -> list[Tensor]:
        """Of every level with a latent, finest first."""
        deepest, skips = self.backbone.encode(reference)
        return [*skips[1:], deepest]

    def gaussian(self, features: Sequence[Tensor], level: int, coarser: Tensor | None) -> Gaussian:
        """p(z_l | z_(l+1), image), float32; ``coarser`` None at the coarsest level."""
        joined = features[level]
        if coarser is not None:
            lifted = self.lift[level](twice_as_fine(coarser))
            joined = self.join[level](torch.cat([joined.expand(len(lifted), -1, -1, -1), lifted], 1))
        std = softplus(self.spread[level](joined).float()) + LEAST_STD
        return Gaussian(self.mean[level](joined).float(), std.log())


class Likelihood(nn.Module):
    """Logits of every level from the latents, each brought to the image's size."""

    def __init__(self, classes: int, channels: Sequence[int], norm: str, latent_dim: int) -> None:
        super().__init__()
        block = block_options(norm, 0.0)
        widths, levels = channels[:-1], range(len(channels) - 1)
        self.post = nn.ModuleList(TwoConv(2, latent_dim, width, **block) for width in widths)
        self.finer = nn.ModuleList(TwoConv(2, width, width, **block) for width in widths)
        self.up = nn.ModuleList(TwoConv(2, channels[level + 1], widths[level], **block) for level in levels[:-1])
        self.join = nn.ModuleList(TwoConv(2, 2 * width, width, **block) for width in widths[:-1])
        initialise(self)
        self.heads = nn.ModuleList(nn.Conv2d(width, classes, kernel_size=1) for width in widths)

    def forward(self, latents: Sequence[Tensor]) -> list[Tensor]:
        """Logits (N, classes, H, W) of every level, finest first; ``latents`` are half as fine as their outputs."""
        found: list[Tensor] = []
        features: Tensor | None = None
        for level in reversed(range(len(latents))):
            own = self.finer[level](twice_as_fine(self.post[level](latents[level])))
            if features is not None:
                own = self.join[level](torch.cat([own, self.up[level](twice_as_fine(features))], 1))
            features = own
            found.append(interpolate(self.heads[level](own).float(), scale_factor=float(2**level), mode="nearest"))
        return found[::-1]


class PHiSeg(nn.Module):
    """Prior, posterior and likelihood.

    Args:
        in_channels, out_channels, channels, norm: as for ``nn.unet.UNet``; there are ``len(channels) - 1`` latents.
        latent_dim: channels of every latent, 2 in the publication.

    Shapes:
        ``forward``: (B, in_channels, H, W) -> (B, out_channels, H, W), the logits with every latent at its mean.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int],
        norm: str = "instance",
        latent_dim: int = 2,
    ) -> None:
        super().__init__()
        if spatial_dims != 2:
            raise ValueError(f"two dimensions, got {spatial_dims}")
        self.classes, self.levels = out_channels, len(channels) - 1
        parts: dict[str, Any] = {"channels": channels, "norm": norm, "latent_dim": latent_dim}
        self.prior = LatentChain(in_channels, **parts)
        self.posterior = LatentChain(in_channels + out_channels, **parts)
        self.likelihood = Likelihood(out_channels, **parts)

    def forward(self, image: Tensor) -> Tensor:
        """Logits with every latent at its mean given the coarser ones."""
        latents: list[Tensor] = []
        features = self.prior.features(image)
        for level in reversed(range(self.levels)):
            latents.insert(0, self.prior.gaussian(features, level, latents[0] if latents else None).mean)
        return summed(self.likelihood(latents))

    def draw(self, image: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Logits (count, C, H, W) of samples of one image (1, in_channels, H, W)."""
        latents: list[Tensor] = []
        features = self.prior.features(image)
        for level in reversed(range(self.levels)):
            gaussian = self.prior.gaussian(features, level, latents[0] if latents else None)
            shape = (count, *gaussian.mean.shape[1:])
            latents.insert(0, gaussian.draw(torch.randn(shape, generator=generator)))
        return summed(self.likelihood(latents))

    def loss(self, image: Tensor, label: Tensor, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """``loss``, ``ce`` of all partial sums and ``kl_0`` onwards before their weights, a pixel; means over images.

        Args:
            label: (B, H, W) integers.
        """
        latents, divergences = self._trained_latents(image, label, generator)
        ce = partial_cross_entropy(self.likelihood(latents), label)
        pixels = label[0].numel()
        kl = [terms.flatten(1).sum(1).mean() / pixels for terms in divergences]
        penalty = torch.stack([LEVEL_BASE**level * term for level, term in enumerate(kl)]).sum()
        return {"loss": ce + penalty, "ce": ce, **{f"kl_{level}": term for level, term in enumerate(kl)}}

    def _trained_latents(
        self, image: Tensor, label: Tensor, generator: torch.Generator | None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Draws of the posterior, which the prior is given as well, and KL(q to p) of every location; finest first."""
        reference = torch.cat([image, to_one_hot(label, self.classes).to(image.dtype)], 1)
        seen, given = self.posterior.features(reference), self.prior.features(image)
        latents: list[Tensor] = []
        divergences: list[Tensor] = []
        for level in reversed(range(self.levels)):
            coarser = latents[0] if latents else None
            q, p = self.posterior.gaussian(seen, level, coarser), self.prior.gaussian(given, level, coarser)
            latents.insert(0, q.draw(torch.randn(q.mean.shape, generator=generator)))
            divergences.insert(0, kl_divergence(q, p))
        return latents, divergences


def partial_cross_entropy(logits: Sequence[Tensor], label: Tensor) -> Tensor:
    """Sum over levels of the cross-entropy of what the levels from the coarsest to each add up to, mean over pixels."""
    sums = torch.stack(list(logits)).flip(0).cumsum(0)
    return torch.stack([cross_entropy(part, label) for part in sums]).sum()


def summed(logits: Sequence[Tensor]) -> Tensor:
    """The sum of all levels."""
    return torch.stack(list(logits)).sum(0)


def twice_as_fine(values: Tensor) -> Tensor:
    """Linear in between."""
    return interpolate(values, scale_factor=2.0, mode="bilinear", align_corners=False)
