"""What is known before a run: whether scan and regions are of the model's kind, and what time and memory it takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ..analysis.analysed_parts import analysed_parts
from ..analysis.rows import Notice
from ..analysis.scan_notices import about_scan, about_units
from ..core.roi import Roi
from ..core.translation import tr as _
from ..core.volume import Grid
from ..packages.metadata import PackageMetadata
from .engine import Engine
from .network_regions import Region, plan_regions
from .sampling.memory import available_bytes
from .windows import plan_windows

if TYPE_CHECKING:
    from ..packages.package import Package

TAKES_LONG = _("This run takes about {minutes} min ({windows} windows of the network). A region makes it shorter.")
MANY_WINDOWS = _("This run needs {windows} windows of the network, minutes on a processor. A region makes it shorter.")
TOO_LARGE = _(
    "This run needs about {needed:.1f} GB of memory, and {free:.1f} GB are free. Close other programs, or give a "
    "smaller region."
)

FLOAT_BYTES = 4
MAP_BYTES = 9
"""Label map, uncertainty and entropy of the scan's own grid."""
MANY = 100
"""Windows whose time is worth a word where nobody has measured it yet."""
LONG_S = 20.0
"""A run that is over sooner needs no word about its time."""


@dataclass(frozen=True)
class Forecast:
    """What a run will be.

    Attributes:
        notices: warnings that need no result.
        windows: how often the network runs (batches of slices for a 2D one).
        memory_bytes: of the arrays that grow with scan and regions.
    """

    notices: tuple[Notice, ...]
    windows: int
    memory_bytes: int

    def sentences(self, seconds_a_window: float | None = None) -> tuple[str, ...]:
        """For people: the warnings, then time and memory where they are worth a word."""
        lines = [notice.text for notice in self.notices]
        seconds = 0.0 if seconds_a_window is None else self.windows * seconds_a_window
        if seconds_a_window is None and self.windows > MANY:
            lines.append(MANY_WINDOWS.format(windows=self.windows))
        if seconds > LONG_S:
            lines.append(TAKES_LONG.format(minutes=max(1, round(seconds / 60)), windows=self.windows))
        free = available_bytes()
        if free is not None and self.memory_bytes > free:
            lines.append(TOO_LARGE.format(needed=self.memory_bytes / 1e9, free=free / 1e9))
        return tuple(lines)


def forecast(grid: Grid, metadata: PackageMetadata, rois: Sequence[Roi] = (), lowest: float | None = None) -> Forecast:
    """Look at a run before it begins; no voxel is read.

    Args:
        lowest: value of the darkest voxel; None when the file says what kind of scan it is.

    Raises:
        InputError: what ``plan_regions`` refuses.
    """
    regions = plan_regions(grid, metadata, rois)
    windows = [region.slices for region in regions] if metadata.centred else []
    labels = [label for region in regions for label in region.label_set]
    parts = analysed_parts(grid, labels, rois, windows)
    units = about_units(metadata, lowest) if lowest is not None else ()
    return Forecast(
        notices=(*units, *about_scan(grid, metadata, parts, {})),
        windows=sum(_windows(region, metadata) for region in regions),
        memory_bytes=max(_bytes(region, metadata) for region in regions) + MAP_BYTES * prod(grid.shape),
    )


def seconds_a_window(package: Package, engine: Engine) -> float:
    """How long the network takes for one window (a batch of slices for a 2D one) here, measured with an empty one."""
    metadata = package.metadata
    plan = plan_windows((1, *metadata.patch)[-3:], metadata.patch, metadata.overlap)
    window = np.zeros((plan.batch, metadata.channels, *metadata.patch), np.float32)
    engine.logits(window)  # the first call also prepares
    start = time.perf_counter()
    engine.logits(window)
    return time.perf_counter() - start


def _windows(region: Region, metadata: PackageMetadata) -> int:
    plan = plan_windows(region.model_grid.shape, metadata.patch, metadata.overlap)
    return -(-plan.count // plan.batch)


def _bytes(region: Region, metadata: PackageMetadata) -> int:
    """Image, and evidence beside logits of every class, on the model's grid."""
    return prod(region.model_grid.shape) * FLOAT_BYTES * (1 + 2 * len(metadata.labels))
