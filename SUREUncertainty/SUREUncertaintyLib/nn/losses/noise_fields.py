"""Noise over the whole image in place of patches: every voxel near a boundary then answers to noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .geometry import SampleGeometry
from .noise_patches import REFERENCE_SPREAD
from .settings import BLURRED, DAMAGED, NOISY, SureSettings

BLUR_VOXELS = 3.0
"""Sigma of the blur at level 1."""


def noisy_copies(
    image: Tensor, levels: Sequence[float], settings: SureSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The batch (B, channels, ...) at two levels with the same unit-normal field at both."""
    field = torch.randn(image.shape, generator=generator).to(image)
    first, second = (
        image + (level * field if settings.noise_kind == "spread" else level + REFERENCE_SPREAD * field)
        for level in levels
    )
    return first, second


def kind_of_copies(settings: SureSettings, generator: torch.Generator) -> str:
    """What this step's copies are; drawn only where not all are noisy."""
    if settings.blurred + settings.damaged == 0.0:
        return NOISY
    drawn = float(torch.rand(1, generator=generator))
    if drawn < settings.blurred:
        return BLURRED
    return DAMAGED if drawn < settings.blurred + settings.damaged else NOISY


def blurred_copies(image: Tensor, levels: Sequence[float]) -> tuple[Tensor, Tensor]:
    """The batch (B, channels, ...) blurred by a Gaussian of ``BLUR_VOXELS`` times each level."""
    from monai.networks.layers import GaussianFilter

    first, second = (
        GaussianFilter(image.ndim - 2, BLUR_VOXELS * level)(image) if level > 0.0 else image for level in levels
    )
    return first, second


def voxels_near(geometry: SampleGeometry | None, count: int, generator: torch.Generator) -> Tensor:
    """Up to ``count`` voxels within t of a boundary at random, (n, dims) int64; none without a boundary."""
    if geometry is None:
        return torch.empty((0, 0), dtype=torch.int64)
    found = torch.nonzero(geometry.near)
    chosen = torch.randperm(len(found), generator=generator)[:count]
    return found[chosen.to(found.device)]
