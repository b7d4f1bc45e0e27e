"""The box follows the structure: the window is centred on what was found in it and run again until it rests.

A network that was trained on crops around a structure sees another picture in a box that lies a few millimetres aside,
and one that cuts the structure shows it a part only. So what a person drew says which structure is meant, and the
structure itself says where the window lies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..arrays.heads import Head
from ..core.errors import InputError
from ..core.geometry import ras_to_ijk
from ..core.roi import Roi
from ..core.volume import Grid
from ..packages.metadata import PackageMetadata
from .network_regions import Region, plan_regions
from .turned import Turn

MOST_MOVES = 6
"""Times that the window is moved and run again. From the place that a search finds two or three are enough; from 6 mm
aside on real heads some need six, and with three the anterior part's volume still spreads by 6 %."""

ENDS = 0.01
"""Share of the structure's voxels at either end of an axis that say nothing about where it ends."""


@dataclass(frozen=True, eq=False)
class Placement:
    """A window and what the network says there: blended channels (C, k, j, i) on ``region.model_grid``."""

    region: Region
    channels: NDArray[np.float32]
    contrast: dict[str, float]


@dataclass(frozen=True, eq=False)
class Settled:
    """Where a window came to rest.

    Attributes:
        last: the placement that counts.
        other: the one before, where the two still differ: the window did not come to rest.
        record: the box as drawn and as used, for the record of a run.
    """

    last: Placement
    other: Placement | None
    record: dict[str, Any]


Look = Callable[[Region], Placement]


class Follower:
    """Moves the windows of one scan for a package with a locator, whose boxes say how large a window is.

    Args:
        grid: of the scan.
        turn: as for ``plan_regions``.
    """

    def __init__(self, grid: Grid, metadata: PackageMetadata, head: Head, turn: Turn | None = None) -> None:
        if metadata.locator is None:
            raise ValueError("only a package with a locator says how large its window is")
        self._grid, self._metadata, self._head, self._turn = grid, metadata, head, turn
        box = metadata.locator.boxes[0]
        self._size = np.asarray(box.high) - box.low

    def settle(self, region: Region, look: Look) -> Settled:
        """Look at a box, then at windows around what is found, until the window no longer moves.

        A region without a box, one in which nothing is found, and a window that holds the whole scan (a part that was
        cut out of a scan with its box: nothing lies around it) stay as they are.
        """
        placements = [look(region)]
        rests = region.roi is None or self._holds_the_scan(region)
        while not rests and len(placements) <= MOST_MOVES:
            following = self._following(placements[-1])
            rests = following is None or _same_block(following, placements[-1].region)
            if following is not None and not rests:
                placements.append(look(following))
        other = placements[-2] if not rests and len(placements) > 2 else None
        return Settled(placements[-1], other, _record(region, placements, rests))

    def _holds_the_scan(self, region: Region) -> bool:
        """Whether a box of the window's size leaves at most one voxel of the scan beyond each of its faces."""
        if region.roi is None:
            return False
        extent = np.asarray(region.roi.high) - region.roi.low
        ends = zip(region.slices, self._grid.shape, strict=True)
        fits = bool(np.all(extent <= self._size + 2 * max(self._grid.spacing)))
        return fits and all(part.start <= 1 and part.stop >= size - 1 for part, size in ends)

    def _following(self, placement: Placement) -> Region | None:
        """The window around what was found, None where nothing was or where it would leave the scan."""
        middle = self._middle(placement)
        old = placement.region.roi
        if middle is None or old is None:
            return None
        low, high = (middle - self._size / 2).tolist(), (middle + self._size / 2).tolist()
        roi = Roi(old.name, (low[0], low[1], low[2]), (high[0], high[1], high[2]))
        try:
            (region,) = plan_regions(self._grid, self._metadata, (roi,), self._turn)
        except InputError:
            return None
        return replace(region, label_set=placement.region.label_set)

    def _middle(self, placement: Placement) -> NDArray[np.float64] | None:
        """RAS mm of the middle of the largest piece that was found, on the nearest voxel of the scan."""
        found = self._head.belief(placement.channels).winners != 0
        pieces, count = ndimage.label(found, np.ones((3, 3, 3), bool))
        if count == 0:
            return None
        largest = 1 + int(np.bincount(pieces.ravel())[1:].argmax())
        ends = np.quantile(np.argwhere(pieces == largest)[:, ::-1], (ENDS, 1.0 - ENDS), axis=0)
        matrix = placement.region.model_grid.ijk_to_ras
        position = matrix[:3, :3] @ ends.mean(axis=0) + matrix[:3, 3]
        nearest = np.round(ras_to_ijk(self._grid, position[None])[0])
        return np.asarray((self._grid.ijk_to_ras @ [*nearest, 1.0])[:3])


def _same_block(one: Region, other: Region) -> bool:
    return one.slices == other.slices and one.model_grid.matches(other.model_grid)


def _record(drawn: Region, placements: list[Placement], rests: bool) -> dict[str, Any]:
    used = placements[-1].region.roi
    moved = 0.0
    if used is not None and drawn.roi is not None:
        middles = [(np.asarray(roi.low) + roi.high) / 2 for roi in (drawn.roi, used)]
        moved = float(np.linalg.norm(middles[1] - middles[0]))
    return {
        "name": drawn.name,
        "drawn": _box(drawn.roi),
        "used": _box(used),
        "moved_mm": round(moved, 2),
        "runs": len(placements),
        "rests": rests,
    }


def _box(roi: Roi | None) -> dict[str, list[float]] | None:
    return None if roi is None else {"low_ras_mm": list(roi.low), "high_ras_mm": list(roi.high)}
