"""Where to look: positions of a result's structures and uncertainty in the patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.geometry import grid_corners
from .nodes import PublishedNodes
from .segmentation_nodes import labels_from_segmentation
from .uncertainty_nodes import threshold_of
from .volume_nodes import grid_from_node, image_array

_SLAB = 2.0
"""Thickness in mm of the slabs that are compared when a slice is chosen."""


@dataclass(frozen=True)
class Focus:
    """What a view should show, RAS mm.

    Attributes:
        points: (N, 3) voxels of the structures; the corners of the scan when nothing was found.
        uncertain: (M, 3) uncertain voxels within the box around ``points``.
        found: whether there is any structure.
    """

    points: NDArray[np.float64]
    uncertain: NDArray[np.float64]
    found: bool = True

    @property
    def low(self) -> NDArray[np.float64]:
        """Lower corner of the box around the structures."""
        return np.asarray(self.points.min(axis=0))

    @property
    def high(self) -> NDArray[np.float64]:
        """Upper corner of the box around the structures."""
        return np.asarray(self.points.max(axis=0))

    @property
    def best(self) -> NDArray[np.float64]:
        """For each axis, the coordinate of the slice that shows most structure and uncertainty; the middle without any."""
        if not self.found:
            return (self.low + self.high) / 2
        return np.array([fullest_slice(np.concatenate([self.points, self.uncertain])[:, axis]) for axis in range(3)])


def focus_of(published: PublishedNodes) -> Focus:
    """Where the structures and the uncertainty of a published result lie."""
    grid = grid_from_node(published.uncertainty)
    shown = labels_from_segmentation(published.segmentation, grid) > 0
    if not shown.any():
        corners = (grid.ijk_to_ras @ grid_corners(grid.shape[::-1]))[:3].T
        return Focus(corners, np.zeros((0, 3)), found=False)
    points = _positions(grid.ijk_to_ras, shown)
    over = image_array(published.uncertainty.GetImageData()) >= threshold_of(published.uncertainty)
    uncertain = _positions(grid.ijk_to_ras, over)
    near = ((uncertain >= points.min(axis=0)) & (uncertain <= points.max(axis=0))).all(axis=1)
    return Focus(points, uncertain[near])


def fullest_slice(values: NDArray[np.float64], slab: float = _SLAB) -> float:
    """Centre (mm) of the slab that holds most of the coordinates ``values`` (mm); their mean when all fit in one."""
    extent = float(np.ptp(values))
    if extent < slab:
        return float(values.mean())
    counts, edges = np.histogram(values, bins=int(extent / slab) + 1)
    best = int(counts.argmax())
    return float((edges[best] + edges[best + 1]) / 2)


def _positions(matrix: NDArray[np.float64], mask: NDArray[Any]) -> NDArray[np.float64]:
    ijk = np.argwhere(mask)[:, ::-1]
    return np.asarray(ijk @ matrix[:3, :3].T + matrix[:3, 3])
