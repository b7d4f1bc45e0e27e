"""What of a scan is judged: all of it, or the box that a case names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.geometry import crop_grid
from ..core.roi import Roi, roi_mask, roi_slices
from ..core.volume import Grid, Volume
from ..inference.network_regions import Region, plan_regions
from ..inference.turned import Turn, window_turn
from ..packages.metadata import PackageMetadata

Voxels = TypeVar("Voxels", bound=np.generic)


Slices = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class ScoredRegion:
    """A block of a scan, in its array's axes (k, j, i).

    Attributes:
        asked: (k, j, i) truth of "it was asked for" within the block, where a turned window leaves corners of it out;
            None where all of it was.
    """

    slices: Slices
    asked: NDArray[np.bool_] | None = None

    def of(self, array: NDArray[Voxels]) -> NDArray[Voxels]:
        """The part of an array (..., k, j, i) on the whole scan."""
        return array[(..., *self.slices)]

    def of_volume(self, volume: Volume) -> Volume:
        """The part as a volume on its own grid."""
        k, j, i = self.slices
        size = (i.stop - i.start, j.stop - j.start, k.stop - k.start)
        grid = crop_grid(volume.grid, (i.start, j.start, k.start), size)
        return replace(volume, array=self.of(volume.array), grid=grid)


def scored_region_of(grid: Grid, metadata: PackageMetadata, roi: Roi | None, turn: Turn | None = None) -> ScoredRegion:
    """The box with all that the model outlines around its middle; the whole scan without a box.

    On an oblique scan it is the smallest block of voxels around the box.

    A model for boxes sees one window around the middle, which may reach beyond a tight box: what it marks there counts,
    as what a larger box holds beyond the window does. Of the block around a window that lies turned in the scan
    (``turn`` as for ``plan_regions``) what lies neither in the window nor in the box does not count.

    Raises:
        InputError: the box lies outside the scan, or is too large for the model.
    """
    if roi is None:
        return ScoredRegion((slice(0, grid.shape[0]), slice(0, grid.shape[1]), slice(0, grid.shape[2])))
    (region,) = plan_regions(grid, metadata, (roi,), turn)
    k, j, i = (_both(a, b) for a, b in zip(region.slices, roi_slices(grid, roi), strict=True))
    turned = window_turn(grid, metadata, turn) is not None
    return ScoredRegion((k, j, i), _asked((k, j, i), region, grid, roi) if turned else None)


def _asked(block: Slices, region: Region, grid: Grid, roi: Roi) -> NDArray[np.bool_]:
    """Truth of "in the window or in the box" within a block of the scan that holds both."""
    asked = np.zeros([part.stop - part.start for part in block], bool)
    asked[_from(region.slices, block)] |= True if region.inside is None else region.inside
    asked[_from(roi_slices(grid, roi), block)] |= roi_mask(grid, roi)
    return asked


def _from(slices: Slices, block: Slices) -> Slices:
    """Slices of a scan as slices of a block of it."""
    k, j, i = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(slices, block, strict=True))
    return (k, j, i)


def _both(one: slice[Any, Any, Any], other: slice[Any, Any, Any]) -> slice[int, int, None]:
    return slice(min(one.start, other.start), max(one.stop, other.stop))
