"""The middle of a slice or a box, as large as one window: what a model sees that outlines one thing in a box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .geometry import crop_grid, grid_corners, index_map
from .volume import Grid

_TOLERANCE = 1e-3
"""Share of a voxel that rounding may cost."""


def middle_slices(shape: Sequence[int], patch: Sequence[int]) -> tuple[slice, ...]:
    """The middle ``patch`` of an array's last axes, all of an axis that is shorter."""
    starts = [max(0, (length - size) // 2) for length, size in zip(shape[-len(patch) :], patch, strict=True)]
    return tuple(slice(start, start + size) for start, size in zip(starts, patch, strict=True))


def window_around(grid: Grid, patch: Sequence[int], centre: Sequence[float] | None = None) -> Grid:
    """One window on a model's grid, which may reach beyond it.

    Args:
        patch: (k, j, i), or (j, i) for a network that works slice by slice: then every slice is kept.
        centre: continuous voxel index (i, j, k) of the window's middle; the grid's own when None.
    """
    size = np.array(grid.shape[::-1])
    middle = (size - 1) / 2 if centre is None else np.asarray(centre, dtype=float)
    start = np.zeros(3, dtype=int)
    for axis, length in enumerate(reversed(patch)):
        start[axis] = int(np.ceil(middle[axis] - length / 2 - _TOLERANCE))
        size[axis] = length
    return crop_grid(grid, (int(start[0]), int(start[1]), int(start[2])), (int(size[0]), int(size[1]), int(size[2])))


def voxels_within(grid: Grid, window: Grid) -> tuple[slice, slice, slice]:
    """The voxels (k, j, i) of a grid whose centres lie in a window with the same axes; empty where there are none."""
    corners = (index_map(grid, window) @ grid_corners(window.shape[::-1]))[:3]
    low = np.maximum(np.ceil(corners.min(axis=1) - _TOLERANCE), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=1) - _TOLERANCE), grid.shape[::-1]).astype(int)
    i, j, k = (slice(int(first), max(int(first), int(last))) for first, last in zip(low, high, strict=True))
    return k, j, i
