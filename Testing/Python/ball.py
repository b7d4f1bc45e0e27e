"""A result whose right answer is known: a ball in two halves with an uncertain border."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from SUREUncertaintyLib.analysis.structures import structure_table
from SUREUncertaintyLib.analysis.uncertain_regions import uncertain_regions
from SUREUncertaintyLib.analysis.volume_range import VoxelRange
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.result import SegmentationResult

LABELS = (Label(1, "upper", (0.9, 0.3, 0.2)), Label(2, "lower", (0.2, 0.6, 0.9)))
THRESHOLD = 0.4
CUBE = Grid((40, 40, 40), origin=(-20.0, -20.0, -20.0))


def distance_from(grid: Grid, centre: Sequence[float] = (0.0, 0.0, 0.0)) -> NDArray[np.float64]:
    """(k, j, i) distance of every voxel from a RAS point, mm."""
    return np.asarray(np.linalg.norm(ras_of(grid) - np.reshape(centre, (3, 1, 1, 1)), axis=0))


def ras_of(grid: Grid) -> NDArray[np.float64]:
    """(3, k, j, i) RAS position of every voxel, mm."""
    k, j, i = np.indices(grid.shape)
    ijk = np.stack([i, j, k, np.ones_like(i)]).reshape(4, -1)
    return np.asarray((grid.ijk_to_ras @ ijk)[:3].reshape(3, *grid.shape))


def ball_result(
    grid: Grid = CUBE, centre: Sequence[float] = (0.0, 0.0, 0.0), radius: float = 10.0, rois: tuple[Roi, ...] = ()
) -> SegmentationResult:
    """A ball of ``radius`` mm around ``centre``; upper half label 1, lower half 2; uncertainty 0.8 at its rim."""
    ras, distance = ras_of(grid), distance_from(grid, centre)
    image = Volume((100 * (distance < radius) + ras[0]).astype(np.float32), grid, "ball & <shell>")
    labels = image.with_array(((distance < radius) * np.where(ras[2] > centre[2], 1, 2)).astype(np.uint8))
    uncertainty = image.with_array((0.8 * np.exp(-(((distance - radius) / 2) ** 2))).astype(np.float32))
    ranges = {1: VoxelRange(1500, 2500)}
    return SegmentationResult(
        image=image,
        labels=labels,
        uncertainty=uncertainty,
        entropy=uncertainty,
        label_set=LABELS,
        rois=rois,
        structures=structure_table(labels, uncertainty, LABELS, THRESHOLD, ranges),
        regions=uncertain_regions(labels, uncertainty, LABELS, THRESHOLD),
        threshold=THRESHOLD,
    )
