"""Which boxes are analysed: those that were given, or those that a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, silent
from ..core.roi import Roi, read_rois
from ..core.volume import Grid, Volume
from ..packages.metadata import PackageMetadata

if TYPE_CHECKING:
    from ..packages.package import Package

AUTO = "auto"
"""Spelling of "search for it" wherever a region is written."""


@dataclass(frozen=True)
class Boxes:
    """What is analysed: boxes, none for the whole scan, and the pose (3, 3) of what a search found in them."""

    rois: tuple[Roi, ...]
    turn: NDArray[np.float64] | None = None


def needs_search(grid: Grid, metadata: PackageMetadata) -> bool:
    """Whether a scan without a box is searched: the model can search, and the scan is larger than what it sees at once.

    A crop of the size of the training crops is a box already.
    """
    if metadata.locator is None:
        return False
    expected = metadata.expected.extent_mm
    return expected is None or max(grid.extent_mm) > expected[1]


def found_boxes(
    scan: Volume,
    package: Package,
    rois: Sequence[Roi] = (),
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Boxes:
    """The boxes as given; without any, those that a search finds where one is needed, else none.

    Raises:
        InputError: the search failed; the sentence says what to do. Cancelled.
    """
    if rois or not needs_search(scan.grid, package.metadata):
        return Boxes(tuple(rois))
    return _searched(scan, package, progress, is_cancelled)


def chosen_boxes(
    texts: Sequence[str],
    scan: Volume,
    package: Package,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Boxes:
    """As ``found_boxes`` for the values of ``--roi``, among which ``auto`` stands alone and always searches."""
    if AUTO not in [text.strip().lower() for text in texts]:
        return found_boxes(scan, package, read_rois(tuple(texts)), progress, is_cancelled)
    if len(texts) > 1:
        raise InputError(f"--roi {AUTO} searches for every region itself. Give it alone, or give boxes without it.")
    return _searched(scan, package, progress, is_cancelled)


def _searched(scan: Volume, package: Package, progress: Progress, is_cancelled: IsCancelled) -> Boxes:
    from .locate import locate  # brings scipy.stats, which takes a while to load

    located = locate(scan, package, progress, is_cancelled)
    return Boxes(located.rois, located.turn)
