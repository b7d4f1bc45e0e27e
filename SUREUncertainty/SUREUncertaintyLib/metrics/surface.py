"""Distances between the surfaces of a predicted and a reference mask, in millimetres.

Surface of a mask: its voxels minus their erosion by the face neighbourhood (4 in 2D, 6 in 3D), where everything
outside the image counts as outside the mask. Distances run between voxel centres. This is the definition of
MONAI, medpy and the nnU-Net evaluation. The two directed sets of distances are pooled before the mean and the
percentile are taken; MONAI's HD95 instead takes the larger of the two directed percentiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from .overlap import BOTH_EMPTY, emptiness

EmptyRule = Literal["undefined", "diagonal"]


@dataclass(frozen=True)
class SurfaceDistance:
    """Surface distances of one structure.

    Attributes:
        hd95: 95th percentile (linear interpolation) of the pooled distances, mm.
        assd: average symmetric surface distance, the mean of the pooled distances, mm.
        reason: why there is no measured distance: ``"missed"``, ``"spurious"``, ``"both empty"``, else None.
    """

    hd95: float
    assd: float
    reason: str | None = None


def surface_points(mask: NDArray[Any], spacing: Sequence[float]) -> NDArray[np.float64]:
    """Centres of the surface voxels, (n, axes) in mm from the first voxel; works inside the mask's bounding box."""
    occupied = [np.flatnonzero(mask.any(axis=tuple(set(range(mask.ndim)) - {axis}))) for axis in range(mask.ndim)]
    if not occupied[0].size:
        return np.empty((0, mask.ndim))
    box = tuple(slice(int(found[0]), int(found[-1]) + 1) for found in occupied)
    inside = mask[box].astype(bool, copy=False)
    points = np.argwhere(inside & ~binary_erosion(inside))
    return (points + [part.start for part in box]) * np.asarray(spacing, dtype=np.float64)


def pooled_surface_distances(
    prediction: NDArray[Any], reference: NDArray[Any], spacing: Sequence[float]
) -> NDArray[np.float64]:
    """From every surface voxel of either mask to the nearest one of the other, mm; empty if a mask is empty.

    ``spacing``: mm along the axes of the arrays, in their order (k, j, i).
    """
    first, second = surface_points(prediction, spacing), surface_points(reference, spacing)
    if not len(first) or not len(second):
        return np.empty(0)
    there, _ = cKDTree(second).query(first)
    back, _ = cKDTree(first).query(second)
    return np.concatenate([there, back])


def surface_distance(
    prediction: NDArray[Any], reference: NDArray[Any], spacing: Sequence[float], empty: EmptyRule = "undefined"
) -> SurfaceDistance:
    """HD95 and ASSD of two masks of the same shape, in mm; ``spacing`` in mm in the order of the array's axes.

    An empty mask leaves both NaN with the reason; with ``empty="diagonal"`` a missed or spurious structure gets the
    diagonal of the image instead, so that it is never better than a found one. Both empty is always NaN.
    """
    if prediction.shape != reference.shape:
        raise ValueError(f"masks of shapes {prediction.shape} and {reference.shape} cannot be compared")
    reason = emptiness(prediction, reference)
    if reason is None:
        distances = pooled_surface_distances(prediction, reference, spacing)
        return SurfaceDistance(float(np.percentile(distances, 95)), float(distances.mean()))
    if empty == "diagonal" and reason != BOTH_EMPTY:
        diagonal = float(np.linalg.norm(np.asarray(prediction.shape) * np.asarray(spacing)))
        return SurfaceDistance(diagonal, diagonal, reason)
    return SurfaceDistance(float("nan"), float("nan"), reason)


def surface_agreement(
    prediction: NDArray[Any], reference: NDArray[Any], spacing: Sequence[float], tolerance_mm: float
) -> float:
    """Surface Dice: the share of both surfaces' voxels within a tolerance of the other surface, in 0..1.

    On voxels, as the distances above; Nikolov et al., J Med Internet Res 23:e26151 (2021) take it on surface elements.
    Both empty: NaN. Exactly one empty: 0.
    """
    reason = emptiness(prediction, reference)
    if reason is not None:
        return float("nan") if reason == BOTH_EMPTY else 0.0
    return float((pooled_surface_distances(prediction, reference, spacing) <= tolerance_mm).mean())
