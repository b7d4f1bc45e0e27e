"""Where to cut: for each analysed region the planes of its structures, and those of the most uncertain voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..analysis.rows import UncertainRegion
from ..core.geometry import ras_to_ijk
from ..core.roi import Roi, roi_slices
from ..core.volume import Grid
from ..inference.result import SegmentationResult
from .anatomical_planes import Ranges, Ras, ras_grid, ras_index, ras_ranges

MARGIN_MM = 15.0
WIDEST = "{}. Each plane is the slice that holds most of them."
WORST = "{}. The marked voxel lies at R {:.1f}, A {:.1f}, S {:.1f} mm ({})."


@dataclass(frozen=True)
class Place:
    """A point to cut through and what is shown around it, in ``anatomical_planes.to_ras`` indices.

    Attributes:
        key: for file names; ``title`` and ``caption`` for people.
        box: the region of interest, None when the whole scan was analysed; ``region`` is its name.
        mark: whether the point itself is worth a mark.
    """

    key: str
    title: str
    caption: str
    point: Ras
    shown: Ranges
    box: Ranges | None
    mark: bool
    region: str = ""


def cut_planes_of(result: SegmentationResult) -> tuple[Place, ...]:
    """For each region of interest, or the whole scan, a view of the structures and one of the most uncertain region."""
    return tuple(place for roi in (result.rois or (None,)) for place in _of_region(result, roi))


def _of_region(result: SegmentationResult, roi: Roi | None) -> list[Place]:
    grid = result.labels.grid
    slices = roi_slices(grid, roi) if roi else tuple(slice(0, n) for n in grid.shape)
    k, j, i = slices
    ranges = ras_ranges((k, j, i), grid)
    name = roi.name if roi else ""
    box = ranges if roi else None
    shown = _widen(ranges, ras_grid(grid)) if roi else ranges
    centre = ras_index(_widest_planes(result, (k, j, i)), grid)
    title = _title(name, "structures")
    places = [Place(_key(name, "structures"), title, WIDEST.format(title), centre, shown, box, False, name)]
    worst = next((region for region in result.regions if roi is None or _inside(region, roi)), None)
    if worst is not None:
        point = ras_index(_voxel(worst, grid), grid)
        title = _title(name, "most uncertain region")
        caption = WORST.format(title, *worst.centre_ras, worst.structure).replace("-", "−")
        places.append(Place(_key(name, "most-uncertain"), title, caption, point, shown, box, True, name))
    return places


def _widest_planes(result: SegmentationResult, slices: Ranges) -> tuple[int, int, int]:
    """Along each axis the plane that holds most structure; the middle of the block when nothing was found."""
    found = result.labels.array[slices] != 0
    point = []
    for axis, part in enumerate(slices):
        areas = np.count_nonzero(found, axis=tuple({0, 1, 2} - {axis}))
        middle = (part.stop - part.start) // 2
        point.append(part.start + (int(areas.argmax()) if areas.any() else middle))
    return point[0], point[1], point[2]


def _widen(ranges: Ranges, grid: Grid) -> Ranges:
    """A block about as long on every side as the longest one, with some of the scan around it."""
    size, spacing = grid.shape[::-1], grid.spacing
    side = max((part.stop - part.start) * mm for part, mm in zip(ranges, spacing, strict=True)) + 2 * MARGIN_MM
    wide = []
    for part, mm, count in zip(ranges, spacing, size, strict=True):
        half = max(round(side / mm / 2), 1)
        middle = (part.start + part.stop) // 2
        wide.append(slice(max(middle - half, 0), min(middle + half, count)))
    return wide[0], wide[1], wide[2]


def _inside(region: UncertainRegion, roi: Roi) -> bool:
    return all(low <= x <= high for low, x, high in zip(roi.low, region.centre_ras, roi.high, strict=True))


def _voxel(region: UncertainRegion, grid: Grid) -> tuple[int, int, int]:
    i, j, k = np.rint(ras_to_ijk(grid, np.array([region.centre_ras]))[0]).astype(int)
    return int(k), int(j), int(i)


def _key(name: str, what: str) -> str:
    safe = "".join(c if c.isalnum() else "-" for c in name)
    return f"{safe}-{what}" if safe else what


def _title(name: str, what: str) -> str:
    return f"{name}: {what}" if name else what.capitalize()
