"""A map of excess uncertainty that stays small: cropped to the uncertain voxels, summed over blocks when large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_CELLS = 4 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class Blocks:
    """Summed uncertainty above a threshold.

    Attributes:
        excess: float32 (k, j, i) of cells, sum over the cell's voxels of max(uncertainty - threshold, 0).
        start: first voxel of the map; ``factor``: voxels a cell along each axis; ``block_mm``: a cell's edges.
        shape: voxel counts of the whole volume.
    """

    excess: NDArray[np.float32]
    start: tuple[int, ...]
    factor: tuple[int, ...]
    block_mm: tuple[float, ...]
    shape: tuple[int, ...]

    def voxel_box(self, cells: Sequence[slice], margin: int) -> tuple[slice, ...]:
        """Voxels of a box of cells, ``margin`` voxels larger on every side where the volume allows."""
        return tuple(
            slice(max(first + part.start * f - margin, 0), min(first + part.stop * f + margin, size))
            for part, first, f, size in zip(cells, self.start, self.factor, self.shape, strict=True)
        )

    def expand(self, cells: NDArray[Any], box: Sequence[slice]) -> NDArray[Any]:
        """Values of a map of cells at the voxels of ``box``; 0 outside the map."""
        result = cells
        for axis, (part, first, f) in enumerate(zip(box, self.start, self.factor, strict=True)):
            index = (np.arange(part.start, part.stop) - first) // f
            inside = (index >= 0) & (index < cells.shape[axis])
            result = np.take(result, np.where(inside, index, 0), axis=axis)
            np.moveaxis(result, axis, 0)[~inside] = 0
        return result


def block_map(
    uncertainty: NDArray[Any], threshold: float, spacing: Sequence[float], most_cells: int = MOST_CELLS
) -> Blocks | None:
    """Crop to the voxels above the threshold and sum over blocks until at most ``most_cells`` are left.

    The axis with the shortest cell is halved first. None when no voxel is above the threshold.
    """
    box = _bounding_box(uncertainty, threshold)
    if box is None:
        return None
    extent = [part.stop - part.start for part in box]
    factor = [1, 1, 1]
    while np.prod([-(-n // f) for n, f in zip(extent, factor, strict=True)]) > most_cells:
        factor[int(np.argmin([f * mm for f, mm in zip(factor, spacing, strict=True)]))] *= 2
    return Blocks(
        excess=_summed(uncertainty[box], threshold, factor),
        start=tuple(part.start for part in box),
        factor=tuple(factor),
        block_mm=tuple(f * mm for f, mm in zip(factor, spacing, strict=True)),
        shape=uncertainty.shape,
    )


def _bounding_box(array: NDArray[Any], threshold: float) -> tuple[slice, ...] | None:
    """Of the voxels above the threshold, plane by plane."""
    planes = np.zeros(array.shape[0], bool)
    flat = np.zeros(array.shape[1:], bool)
    for k, plane in enumerate(array):
        over = plane > threshold
        planes[k] = over.any()
        flat |= over
    if not planes.any():
        return None
    hits = [np.flatnonzero(axis) for axis in (planes, flat.any(axis=1), flat.any(axis=0))]
    return tuple(slice(int(hit[0]), int(hit[-1]) + 1) for hit in hits)


def _summed(array: NDArray[Any], threshold: float, factor: Sequence[int]) -> NDArray[np.float32]:
    """Block sums of the excess, one layer of cells at a time."""
    size = [-(-n // f) for n, f in zip(array.shape, factor, strict=True)]
    cells = np.zeros(size, np.float32)
    edges = [np.arange(0, n, f) for n, f in zip(array.shape, factor, strict=True)]
    for layer, first in enumerate(edges[0]):
        # fmax: what was not analysed is NaN and adds nothing
        excess = np.fmax(array[first : first + factor[0]].astype(np.float32) - np.float32(threshold), np.float32(0))
        rows = np.add.reduceat(excess.sum(axis=0), edges[1], axis=0)
        cells[layer] = np.add.reduceat(rows, edges[2], axis=1)
    return cells
