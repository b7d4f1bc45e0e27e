"""Distance to the boundary between labels, and the zones near it in which the relations are judged.

Boundary voxels are those whose full neighbourhood (8 in a plane, 26 in space, cut off at the border of the image)
holds more than one label; both sides of an interface belong to it and have distance 0. Where voxels are more than
three times as long as wide, the neighbourhood stays in the plane of the slices; distances are three-dimensional in mm
all the same. Distances are exact Euclidean ones, rounded to 1e-6 mm so that equal distances tie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, maximum_filter, minimum_filter

Unit = Literal["mm", "px"]

NO_BOUNDARY = "no boundary between labels"
ANISOTROPIC = 3.0
DECIMALS = 6
SLAB_VOXELS = 1 << 22


@dataclass(frozen=True)
class Widths:
    """How far the zones reach: ``delta`` for the gradient relation, ``t`` for the noise relations, in ``unit``."""

    delta: float
    t: float
    unit: Unit


def zone_widths(shape: Sequence[int], spacing: Sequence[float] | None) -> Widths:
    """The default widths: t = 6 mm, delta = the larger of 1.5 mm and the in-plane spacing; without spacing 4 and 1 px.

    ``spacing``: mm along the array's axes. In plane are all axes but the coarsest one; axes of one voxel do not count.
    """
    if spacing is None:
        return Widths(1.0, 4.0, "px")
    sides = sorted(side for side, count in zip(spacing, shape, strict=True) if count > 1) or [0.0]
    in_plane = sides[-2] if len(sides) > 2 else sides[-1]
    return Widths(max(1.5, float(in_plane)), 6.0, "mm")


def through_plane_axis(shape: Sequence[int], spacing: Sequence[float]) -> int | None:
    """The coarsest axis when its spacing exceeds three times the finest, else None; axes of one voxel do not count."""
    axes = [axis for axis, count in enumerate(shape) if count > 1]
    if len(axes) < 2:
        return None
    coarsest = max(axes, key=lambda axis: spacing[axis])
    return coarsest if spacing[coarsest] > ANISOTROPIC * min(spacing[axis] for axis in axes) else None


def boundary_voxels(labels: NDArray[Any], spacing: Sequence[float] | None = None) -> NDArray[np.bool_]:
    """Mask, shaped as ``labels`` (k, j, i) or (j, i), of the voxels whose neighbourhood holds more than one label.

    ``spacing``: mm in the order of the array's axes; it decides about thick slices.
    """
    size = [3] * labels.ndim
    across = None if spacing is None else through_plane_axis(labels.shape, spacing)
    if across is not None:
        size[across] = 1
    values = labels.astype(np.uint8) if labels.dtype == bool else labels
    high = maximum_filter(values, size=tuple(size), mode="nearest")
    return np.asarray(high != minimum_filter(values, size=tuple(size), mode="nearest"))


def boundary_distance(labels: NDArray[Any], spacing: Sequence[float] | None = None) -> NDArray[np.float64] | None:
    """Distance of every voxel to the nearest boundary voxel, in mm (px without ``spacing``); None without a boundary.

    ``labels``: integers of any number of axes, ``spacing`` along them.
    """
    boundary = boundary_voxels(labels, spacing)
    return _distance_to(boundary, spacing) if boundary.any() else None


def _distance_to(boundary: NDArray[np.bool_], spacing: Sequence[float] | None) -> NDArray[np.float64]:
    distance = distance_transform_edt(~boundary, sampling=None if spacing is None else tuple(spacing))
    return np.round(distance, DECIMALS, out=distance)


@dataclass(frozen=True, eq=False)
class BoundaryZone:
    """The part of an image around its boundaries; what lies outside ``box`` is farther than t from all of them.

    Attributes:
        shape: of the image.
        box: slices of the image that hold every voxel within t.
        near: mask of the box, distance <= t.
        near_distance: distances of the near voxels in the mask's order, unit of ``widths``.
        thick_axis: the axis through thick slices, None for (nearly) isotropic voxels.
    """

    shape: tuple[int, ...]
    box: tuple[slice, ...]
    near: NDArray[np.bool_]
    near_distance: NDArray[np.float64]
    widths: Widths
    thick_axis: int | None

    @property
    def band(self) -> NDArray[np.bool_]:
        """Mask of the box, distance <= delta."""
        band = self.near.copy()
        band[self.near] = self.near_distance <= self.widths.delta
        return band

    def in_near(self, image: NDArray[Any]) -> NDArray[Any]:
        """Values of a whole image where distance <= t, in the order of ``near_distance``."""
        return np.asarray(image[self.box][self.near])

    def in_band(self, image: NDArray[Any]) -> NDArray[Any]:
        """Values of a whole image where distance <= delta, in the order of the image."""
        return self.in_near(image)[self.near_distance <= self.widths.delta]

    def far_mean(self, image: NDArray[Any]) -> float:
        """Mean of a whole image where distance > t; NaN where there is no such voxel. NaN voxels are left out."""
        inside = image[self.box]
        near = inside[self.near]
        count = int(np.count_nonzero(np.isfinite(image))) - int(np.count_nonzero(np.isfinite(near)))
        if not count:
            return float("nan")
        outside = _sum(image) - _sum(inside)
        return (outside + _sum(inside[~self.near])) / count

    def within(self, mask: NDArray[np.bool_]) -> BoundaryZone | None:
        """The part of the zone where a mask of the whole image holds; None when nothing of it is left."""
        kept = mask[self.box][self.near]
        if not kept.any():
            return None
        if kept.all():
            return self
        return replace(self, near=self.near & mask[self.box], near_distance=self.near_distance[kept])


def boundary_zone(
    labels: NDArray[Any], spacing: Sequence[float] | None = None, widths: Widths | None = None
) -> BoundaryZone | None:
    """The zone around the boundaries of a label map (k, j, i); None when it has no boundary (distances are undefined).

    ``spacing``: mm in the order of the array's axes.
    """
    boundary = boundary_voxels(labels, spacing)
    if not boundary.any():
        return None
    chosen = widths or zone_widths(labels.shape, spacing)
    reach = [int(np.ceil(chosen.t / side)) + 1 for side in spacing or [1.0] * labels.ndim]
    box = _box_around(boundary, reach)
    near, distance = _near(boundary[box], chosen.t, reach[0], spacing)
    across = None if spacing is None else through_plane_axis(labels.shape, spacing)
    return BoundaryZone(labels.shape, box, near, distance, chosen, across)


def _sum(image: NDArray[Any]) -> float:
    """Of the voxels that have a value."""
    return float(np.nansum(image, dtype=np.float64))


def _box_around(mask: NDArray[np.bool_], reach: Sequence[int]) -> tuple[slice, ...]:
    """Bounding box of a non-empty mask, widened by ``reach`` voxels on every side, inside the image."""
    box = []
    for axis, count in enumerate(mask.shape):
        found = np.flatnonzero(mask.any(axis=tuple(set(range(mask.ndim)) - {axis})))
        box.append(slice(max(int(found[0]) - reach[axis], 0), min(int(found[-1]) + reach[axis] + 1, count)))
    return tuple(box)


def _near(
    boundary: NDArray[np.bool_], t: float, reach: int, spacing: Sequence[float] | None
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Mask of distance <= t and the distances in it, slab by slab, each with a margin of t on both sides.

    The Euclidean transform needs some 50 bytes a voxel: the slabs keep that off large scans.
    """
    near, parts = np.zeros(boundary.shape, dtype=bool), []
    depth = max(1, SLAB_VOXELS // max(1, boundary[0].size))
    for low in range(0, boundary.shape[0], depth):
        first, high = max(low - reach, 0), min(low + depth, boundary.shape[0])
        slab = boundary[first : high + reach]
        if slab.any():
            distance = _distance_to(slab, spacing)[low - first : high - first]
            near[low:high] = distance <= t
            parts.append(distance[near[low:high]])
    return near, np.concatenate(parts)
