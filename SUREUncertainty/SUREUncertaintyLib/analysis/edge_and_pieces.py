"""Which structures reach the edge of what was analysed, and which fall into pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core.roi import Roi, roi_mask, roi_slices
from ..core.volume import Grid
from .voxel_neighbours import rim


def at_image_edge(labels: NDArray[Any], axes: Sequence[int] = (0, 1, 2)) -> set[int]:
    """Label values other than 0 on the outermost voxels of the array (k, j, i) across some of its axes.

    An axis of one voxel has no edge that could cut anything.
    """
    faces = [np.take(labels, end, axis) for axis in axes if labels.shape[axis] > 1 for end in (0, -1)]
    return {int(value) for face in faces for value in np.unique(face)} - {0}


def at_roi_edge(labels: NDArray[Any], grid: Grid, roi: Roi) -> set[int]:
    """Label values other than 0 in (k, j, i) on ``grid`` on the outermost voxels of a region of interest."""
    block = labels[roi_slices(grid, roi)]
    mask = roi_mask(grid, roi)
    edge = np.unique(block[rim(mask)])
    return {int(value) for value in edge} - {0}


def at_window_edge(labels: NDArray[Any], window: tuple[slice, slice, slice], spatial_dims: int) -> set[int]:
    """Label values other than 0 on the sides of a window of ``labels`` (k, j, i) where the scan goes on beyond it.

    Args:
        spatial_dims: of the network. Between the slices of a 2D one nothing is cut: it reads those that it is given.
    """
    block = labels[window]
    values: set[int] = set()
    for axis in range(3 - spatial_dims, 3):
        part, length = window[axis], labels.shape[axis]
        ends = [end for end, goes_on in ((0, part.start > 0), (-1, part.stop < length)) if goes_on]
        values |= {int(value) for end in ends for value in np.unique(np.take(block, end, axis))}
    return values - {0}


def share_structure(labels: NDArray[Any], grid: Grid, one: Roi, other: Roi) -> bool:
    """Whether labels other than 0 lie where two regions of interest overlap; ``labels`` (k, j, i) on ``grid``."""
    blocks = (roi_slices(grid, one), roi_slices(grid, other))
    both = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(*blocks, strict=True))
    if any(part.stop <= part.start for part in both):
        return False
    inside = labels[both] != 0
    for roi, block in zip((one, other), blocks, strict=True):
        own = tuple(slice(p.start - b.start, p.stop - b.start) for p, b in zip(both, block, strict=True))
        inside &= roi_mask(grid, roi)[own]
    return bool(inside.any())


def pieces_of(labels: NDArray[Any], values: Sequence[int]) -> dict[int, NDArray[np.int64]]:
    """Voxel counts of each structure's separate (26-connected) pieces, largest first; empty structures are left out."""
    boxes = dict(enumerate(ndimage.find_objects(labels), start=1))
    return {value: _pieces(labels[boxes[value]] == value) for value in values if boxes.get(value)}


def _pieces(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    components, _ = ndimage.label(mask, np.ones((3, 3, 3), bool))
    return np.sort(np.bincount(components[mask])[1:])[::-1]
