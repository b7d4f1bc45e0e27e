"""What of a scan is judged: all of it, or the box that a case names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.geometry import crop_grid
from ..core.roi import Roi, roi_slices
from ..core.volume import Grid, Volume
from ..inference.network_regions import plan_regions
from ..packages.metadata import PackageMetadata

Voxels = TypeVar("Voxels", bound=np.generic)


@dataclass(frozen=True)
class ScoredRegion:
    """A block of a scan, in its array's axes (k, j, i)."""

    slices: tuple[slice, slice, slice]

    def of(self, array: NDArray[Voxels]) -> NDArray[Voxels]:
        """The part of an array (..., k, j, i) on the whole scan."""
        return array[(..., *self.slices)]

    def of_volume(self, volume: Volume) -> Volume:
        """The part as a volume on its own grid."""
        k, j, i = self.slices
        size = (i.stop - i.start, j.stop - j.start, k.stop - k.start)
        grid = crop_grid(volume.grid, (i.start, j.start, k.start), size)
        return replace(volume, array=self.of(volume.array), grid=grid)


def scored_region_of(grid: Grid, metadata: PackageMetadata, roi: Roi | None) -> ScoredRegion:
    """The box with all that the model outlines around its middle; the whole scan without a box.

    On an oblique scan it is the smallest block of voxels around the box.

    A model for boxes sees one window around the middle, which may reach beyond a tight box: what it marks there counts,
    as what a larger box holds beyond the window does.

    Raises:
        InputError: the box lies outside the scan, or is too large for the model.
    """
    if roi is None:
        return ScoredRegion((slice(0, grid.shape[0]), slice(0, grid.shape[1]), slice(0, grid.shape[2])))
    (region,) = plan_regions(grid, metadata, (roi,))
    k, j, i = (_both(a, b) for a, b in zip(region.slices, roi_slices(grid, roi), strict=True))
    return ScoredRegion((k, j, i))


def _both(one: slice[Any, Any, Any], other: slice[Any, Any, Any]) -> slice[int, int, None]:
    return slice(min(one.start, other.start), max(one.stop, other.stop))
