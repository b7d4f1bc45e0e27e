"""Comparisons of voxels with their six neighbours, without copies of the volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def differs_from_neighbour(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Truth of "one of the six neighbours has another value", same shape. The array's border is no neighbour."""
    differs = np.zeros(array.shape, bool)
    for before, after in neighbour_pairs(array.ndim):
        unequal = array[before] != array[after]
        differs[before] |= unequal
        differs[after] |= unequal
    return differs


def rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels of the mask (same shape) with a face neighbour outside it; here the array's border counts as outside."""
    inner = mask.copy()
    for before, after in neighbour_pairs(mask.ndim):
        inner[before] &= mask[after]
        inner[after] &= mask[before]
    for axis in range(mask.ndim):
        ends = np.moveaxis(inner, axis, 0)
        ends[0] = False
        ends[-1] = False
    return mask & ~inner


def neighbour_pairs(dimensions: int) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """For each axis the index of all voxels but the last and of all but the first."""
    everything = [slice(None)] * dimensions
    for axis in range(dimensions):
        before, after = list(everything), list(everything)
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        yield tuple(before), tuple(after)
