"""What the uncertainty losses need to know of each sample: distance to the boundary, gradient, and the two zones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...metrics.boundary import boundary_distance, zone_widths
from ...metrics.relations import gradient_magnitude
from .settings import SureSettings


@dataclass(frozen=True)
class SampleGeometry:
    """One sample of a batch.

    Attributes:
        distance: (...) float32, mm (pixels without spacing) to the nearest boundary voxel.
        gradient: (...) float32, gradient magnitude of the clean image's first channel.
        delta, t: widths in the same unit.
    """

    distance: Tensor
    gradient: Tensor
    delta: float
    t: float

    @property
    def band(self) -> Tensor:
        """Where the gradient relation holds, bool."""
        return self.distance <= self.delta

    @property
    def near(self) -> Tensor:
        """Where the noise relations hold, bool; beyond it uncertainty is wanted near 0."""
        return self.distance <= self.t


def batch_geometry(
    image: Tensor, label: Tensor, spacing: Sequence[float] | None, settings: SureSettings
) -> list[SampleGeometry | None]:
    """Geometry of every sample; None where the label has no boundary, so that distances are undefined.

    Args:
        image: (B, channels, ...) normalised input.
        label: (B, ...) integers.
        spacing: mm along the spatial axes, None for pixels.
    """
    return [_sample(x[0], y, spacing, settings) for x, y in zip(image, label, strict=True)]


def _sample(
    image: Tensor, label: Tensor, spacing: Sequence[float] | None, settings: SureSettings
) -> SampleGeometry | None:
    distance = boundary_distance(label.cpu().numpy().astype(np.uint8), spacing)
    if distance is None:
        return None
    widths = zone_widths(tuple(label.shape), spacing)
    gradient = gradient_magnitude(image.detach().float().cpu().numpy(), spacing)
    return SampleGeometry(
        distance=torch.from_numpy(distance.astype(np.float32)).to(image.device),
        gradient=torch.from_numpy(gradient).to(image.device),
        delta=widths.delta if settings.delta is None else settings.delta,
        t=widths.t if settings.t is None else settings.t,
    )
