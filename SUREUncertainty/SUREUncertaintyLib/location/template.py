"""The average that a locator fits to scans, made ready once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core.volume import Volume
from .working import WORKING_MM, working_volume

RIM_MM = 6.0
"""What is compared around the template's tissue: dark in a scan without skull, and in one with bone and fluid there."""


@dataclass(frozen=True, eq=False)
class Template:
    """A template as a working volume.

    Attributes:
        tissue: (k, j, i) truth of "no background".
        mask: the tissue with a rim, what is compared with a scan.
        middle: RAS mm of the tissue's centre, about which the template turns.
        reach_mm: from the middle to the furthest voxel of the mask.
    """

    volume: Volume
    tissue: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    middle: NDArray[np.float64]
    reach_mm: float

    @classmethod
    def of(cls, scan: Volume) -> Template:
        """The template in a scan whose background is 0."""
        volume = working_volume(scan)
        tissue = np.asarray(ndimage.binary_fill_holes(volume.array > 0.02), bool)
        mask = np.asarray(ndimage.binary_dilation(tissue, iterations=round(RIM_MM / WORKING_MM)), bool)
        middle = positions(volume, tissue).mean(axis=0)
        reach = np.linalg.norm(positions(volume, mask) - middle, axis=1).max()
        return cls(volume, tissue, mask, middle, float(reach))


def positions(volume: Volume, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N, 3) RAS mm of the voxels of a mask (k, j, i)."""
    matrix = volume.grid.ijk_to_ras
    return np.asarray(np.argwhere(mask)[:, ::-1] @ matrix[:3, :3].T + matrix[:3, 3])
