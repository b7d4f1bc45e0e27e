"""Downsampled slices: the scan as if it had been taken in slices ``factor`` times as thick, on its own grid again.

Each thick slice is the mean over its thickness, fractions of voxels included; between slice centres values are
linear. The axis is that of the scan's coarsest spacing, drawn where several are equally coarse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32


def _draw(generator: np.random.Generator, spacing: tuple[float, float, float]) -> dict[str, Any]:
    coarsest = [axis for axis in range(3) if np.isclose(spacing[axis], max(spacing), rtol=1e-3)]
    return {"axis": int(generator.choice(coarsest))}


def _act(image: Float32, given: CorruptionInput) -> Float32:
    axis = given.drawn["axis"]
    matrix = resampling_matrix(image.shape[axis], given.physical["factor"]).astype(np.float32)
    return np.ascontiguousarray(np.moveaxis(np.tensordot(matrix, image, axes=(1, axis)), 0, axis))


def resampling_matrix(count: int, factor: float) -> NDArray[np.float64]:
    """(count, count): means of slices of ``factor`` voxels, interpolated back; rows sum to 1; factor 1: identity."""
    slices = max(1, int(np.ceil(count / factor - 1e-9)))
    edges = np.minimum(np.arange(slices + 1) * factor, count)
    voxels = np.arange(count)
    overlap = np.minimum(edges[1:, None], voxels + 1) - np.maximum(edges[:-1, None], voxels)
    mean = np.clip(overlap, 0.0, None)
    mean /= mean.sum(axis=1, keepdims=True)
    centres = (edges[1:] + edges[:-1] - 1.0) / 2.0
    back = np.stack([np.interp(voxels, centres, row) for row in np.eye(slices)], axis=1)
    return np.asarray(back @ mean)


THICK_SLICES = Corruption("thick_slices", _("Downsampled slices"), "scan", _act, _draw)
