"""The three relations that a trustworthy uncertainty obeys, measured on one case.

====== ============= ============ ================== =====================
name   voxels        x            v                  want
====== ============= ============ ================== =====================
g      d <= delta    gradient     u                  UR 1, UCC -1
d      d <= t        distance     u_noisy - u        UR 1, UCC -1
sigma  d <= t        noise level  u at every level   UR 1, tau +1
====== ============= ============ ================== =====================

and uncertainty far from every boundary (d > t), which is wanted near 0 at any noise. Every voxel of a zone counts, no
subset is drawn. Source: Li, Sui, Wu, Zhuang, MICCAI 2025 (arXiv 2509.17098), with the widths, tie rules and
undefined values of this project's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .boundary import BoundaryZone
from .noise_relation import LevelStatistics, level_statistics
from .ranks import RankStatistics, rank_statistics

GRADIENT_OFFSET = np.float32(1e-8)
GRADIENT_BINS = 25
DELTA_LEVEL = 0.3
NOISE_LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)


def gradient_magnitude(
    image: NDArray[Any], spacing: Sequence[float] | None = None, without: int | None = None
) -> NDArray[np.float32]:
    """sqrt of the summed squared central differences + 1e-8, one-sided at the border, no smoothing; float32.

    Per mm along the array's axes with ``spacing``, per voxel without. ``without`` leaves out one axis (in-plane
    gradient of thick slices); axes of one voxel have no gradient.
    """
    values = np.asarray(image, dtype=np.float32)
    steps = [1.0] * values.ndim if spacing is None else [float(step) for step in spacing]
    squares = np.zeros(values.shape, dtype=np.float32)
    for axis, step in enumerate(steps):
        if axis != without and values.shape[axis] > 1:
            squares += np.square(np.gradient(values, np.float32(step), axis=axis))
    return np.asarray(np.sqrt(squares, out=squares) + GRADIENT_OFFSET)


def zone_gradient(
    image: NDArray[Any], zone: BoundaryZone, spacing: Sequence[float] | None = None, in_plane: bool = False
) -> NDArray[np.float32]:
    """Gradient magnitude (n,) of an image (k, j, i) at the n voxels of the zone's band, from its surroundings."""
    wide = tuple(slice(max(s.start - 1, 0), min(s.stop + 1, n)) for s, n in zip(zone.box, image.shape, strict=True))
    inner = tuple(slice(s.start - w.start, s.stop - w.start) for s, w in zip(zone.box, wide, strict=True))
    gradient = gradient_magnitude(image[wide], spacing, zone.thick_axis if in_plane else None)
    return np.asarray(gradient[inner][zone.band])


def gradient_relation(gradient: NDArray[Any], uncertainty: NDArray[Any]) -> RankStatistics:
    """P1, sharp edges are certain: gradients (n,) of the band's voxels against their clean uncertainties (n,)."""
    return rank_statistics(gradient, uncertainty)


def binned_gradient_relation(
    gradient: NDArray[Any], uncertainty: NDArray[Any], bins: int = GRADIENT_BINS
) -> RankStatistics:
    """As ``gradient_relation`` on mean uncertainties of equal bins of [g_min, g_max]; empty bins are left out."""
    if not gradient.size or float(gradient.min()) == float(gradient.max()):
        return rank_statistics(np.zeros(min(gradient.size, 1)), np.zeros(min(gradient.size, 1)))
    edges = np.linspace(float(gradient.min()), float(gradient.max()), bins + 1)
    index = np.clip(np.searchsorted(edges, gradient, side="right") - 1, 0, bins - 1)
    counts = np.bincount(index, minlength=bins)
    sums = np.bincount(index, weights=uncertainty, minlength=bins)
    filled = counts > 0
    return rank_statistics(np.flatnonzero(filled), sums[filled] / counts[filled])


def distance_relation(distance: NDArray[Any], clean: NDArray[Any], noisy: NDArray[Any]) -> RankStatistics:
    """P2/P3, the rise caused by noise fades with distance: distances (n,) against u_noisy - u (n,), in float32."""
    rise = np.asarray(noisy, dtype=np.float32) - np.asarray(clean, dtype=np.float32)
    return rank_statistics(distance, rise)


def level_relation(uncertainty_by_level: Mapping[float, NDArray[Any]]) -> LevelStatistics:
    """P2, more noise is more uncertainty: uncertainties (n,) of the same n voxels at every noise level."""
    if not uncertainty_by_level:
        return level_statistics((), np.empty((0, 0)))
    return level_statistics(tuple(uncertainty_by_level), np.stack(list(uncertainty_by_level.values())))
