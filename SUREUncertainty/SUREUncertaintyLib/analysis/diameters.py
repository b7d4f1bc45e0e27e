"""The longest diameters of a structure: in one axial slice, as radiologists measure, and in any direction.

A structure's surface is taken half way between the centres of a voxel inside and its neighbour outside, as in the mesh
that pyradiomics measures its maximum diameters on, so that one voxel alone is as long as its longest edge. Axial slices
are those of the grid's axis that runs most nearly from foot to head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.volume import Grid

Points = NDArray[np.float64]

_FEW = 12
"""Points of which all pairs are compared at once; more are reduced to the corners of their convex hull first."""


@dataclass(frozen=True)
class Diameters:
    """Longest distances across a structure in mm: in an axial slice, and in any direction; 0 for an empty one."""

    axial: float
    longest: float


def axial_axis(grid: Grid) -> int:
    """The axis of arrays (k, j, i) along which axial slices follow one another."""
    return 2 - int(np.abs(grid.ijk_to_ras[2, :3]).argmax())


def diameters(mask: NDArray[np.bool_], spacing: tuple[float, float, float], axial: int) -> Diameters:
    """Measure a mask (k, j, i); ``spacing`` in the same order, mm; ``axial`` as ``axial_axis`` gives it."""
    found = np.nonzero(mask)
    if not len(found[0]):
        return Diameters(0.0, 0.0)
    inner = tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in found)
    part = np.moveaxis(mask[inner], axial, 0)
    step = (spacing[axial], *(mm for axis, mm in enumerate(spacing) if axis != axial))
    in_slices = (_widest(_surface(plane[np.newaxis], (0.0, *step[1:]))) for plane in part if plane.any())
    return Diameters(max(in_slices), _widest(_surface(part, step)))


def _surface(mask: NDArray[np.bool_], step: tuple[float, ...]) -> Points:
    """Points half a voxel from the centres of voxels with a free face, on that face; along axes with a step."""
    padded = np.pad(mask, 1)
    points = []
    for axis, mm in enumerate(step):
        if not mm:
            continue
        for side in (-1, 1):
            free = mask & ~np.roll(padded, -side, axis)[1:-1, 1:-1, 1:-1]
            centres: Points = np.argwhere(free).astype(np.float64) * step
            centres[:, axis] += side * mm / 2.0
            points.append(centres)
    return np.concatenate(points)


def _widest(points: Points) -> float:
    """Largest distance between two points."""
    from scipy.spatial.distance import pdist

    corners = points if len(points) <= _FEW else _corners(points)
    return float(pdist(corners).max())


def _corners(points: Points) -> Points:
    """Points among which the farthest pair is: the corners of the convex hull, in as many dimensions as they span."""
    from scipy.spatial import ConvexHull

    spanned = points[:, np.ptp(points, axis=0) > 0]
    return np.asarray(spanned[ConvexHull(spanned).vertices])
