"""Why an uncertain region is listed, and what is not worth listing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

AROUND = np.ones((3, 3, 3), bool)

EDGE, INSIDE, AWAY = "edge", "inside", "away"
REASONS = (EDGE, INSIDE, AWAY)
"""Most of a region's voxels: where a structure meets something else, within one structure, near none."""


def reason_of(labels: NDArray[Any], member: NDArray[np.bool_]) -> str:
    """Which of ``REASONS`` holds for most voxels of a region.

    Args:
        labels: label map (k, j, i) around the region, at least one voxel larger on every side where the scan allows.
        member: its voxels, same shape.
    """
    low, high = _extremes(labels)
    counts = [int((member & where).sum()) for where in (low != high, (low == high) & (low > 0), high == 0)]
    return REASONS[int(np.argmax(counts))]


def without_inner_borders(
    uncertainty: NDArray[np.float32], labels: NDArray[Any], wholes: Sequence[Collection[int]]
) -> NDArray[np.float32]:
    """The map with NaN where parts of one whole meet and nothing else is near: which of the parts a voxel belongs to is
    no reason to look at a place.

    Args:
        wholes: label values of the parts of each whole. Without any the map itself is returned.
    """
    changed = uncertainty
    for parts in wholes:
        mask = np.isin(labels, list(parts))
        box = ndimage.find_objects(mask.astype(np.uint8))
        if not box:
            continue
        where = _grown(box[0], labels.shape)
        low, high = _extremes(labels[where])
        inner = (low != high) & np.isin(low, list(parts)) & np.isin(high, list(parts)) & mask[where]
        if inner.any():
            changed = uncertainty.copy() if changed is uncertainty else changed
            changed[where][inner] = np.nan
    return changed


def _extremes(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Smallest and largest label among each voxel and its 26 neighbours."""
    return ndimage.minimum_filter(labels, 3, mode="nearest"), ndimage.maximum_filter(labels, 3, mode="nearest")


def _grown(box: tuple[slice, ...], shape: Sequence[int]) -> tuple[slice, ...]:
    pairs = zip(box, shape, strict=True)
    return tuple(slice(max(part.start - 1, 0), min(part.stop + 1, size)) for part, size in pairs)
