"""What is known before a run: whether scan and regions are of the model's kind, and what time and memory it takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ..analysis.analysed_parts import analysed_parts
from ..analysis.grey_values import GreyValues
from ..analysis.rows import Notice
from ..analysis.scan_notices import about_scan, about_units
from ..core.roi import Roi
from ..core.translation import tr as _
from ..core.volume import Grid
from ..packages.metadata import PackageMetadata
from .engine import Engine
from .native.ahead import memory_of, windows_of
from .native.engine import MemberEngine
from .network_regions import Region, plan_regions
from .sampling.encoding import has_latents
from .sampling.memory import available_bytes
from .windows import WindowPlan, plan_windows

if TYPE_CHECKING:
    from ..packages.package import Package

TAKES_LONG = _(
    "This run takes about {minutes} min and {needed:.1f} GB of memory ({windows} windows of the network). A region "
    "makes it shorter."
)
MANY_WINDOWS = _(
    "This run needs {windows} windows of the network, minutes on a processor, and {needed:.1f} GB of memory. A region "
    "makes it shorter."
)
TOO_LARGE = _(
    "This run needs about {needed:.1f} GB of memory, and {free:.1f} GB are free. Close other programs, or give a "
    "smaller region."
)

FLOAT_BYTES = 4
MAP_BYTES = 24
"""A voxel of the scan: itself, label map, uncertainty and entropy, and what measuring them takes; from the peaks in
docs/benchmarks.md."""
PROGRAM_BYTES = 350_000_000
"""Of the program and a small model, before the first voxel."""
MANY = 100
"""Windows whose time is worth a word where nobody has measured it yet."""
LONG_S = 20.0
"""A run that is over sooner needs no word about its time."""
BRIEF = 3_000_000
"""Voxels in all windows of a run that is over before its time could be measured."""


@dataclass(frozen=True)
class Forecast:
    """What a run will be.

    Attributes:
        notices: warnings that need no result.
        windows: how often the network runs (batches of slices for a 2D one).
        window_voxels: of one window, or batch of slices.
        memory_bytes: peak of the process that computes, about.
    """

    notices: tuple[Notice, ...]
    windows: int
    window_voxels: int
    memory_bytes: int

    @property
    def is_brief(self) -> bool:
        """Whether measuring how long a window takes would last about as long as the run."""
        return self.windows * self.window_voxels < BRIEF

    def of_frames(self, count: int) -> Forecast:
        """The same for so many scans of one size, one after the other; of several, two run once more as whole results
        (``cine.segment_frames``)."""
        return replace(self, windows=self.windows * (count + 2 if count > 1 else 1))

    def sentences(self, seconds_a_window: float | None = None) -> tuple[str, ...]:
        """For people: the warnings, then time and memory where they are worth a word."""
        lines = [notice.text for notice in self.notices]
        seconds = 0.0 if seconds_a_window is None else self.windows * seconds_a_window
        if seconds_a_window is None and self.windows > MANY:
            lines.append(MANY_WINDOWS.format(windows=self.windows, needed=self.memory_bytes / 1e9))
        if seconds > LONG_S:
            minutes = max(1, round(seconds / 60))
            lines.append(TAKES_LONG.format(minutes=minutes, windows=self.windows, needed=self.memory_bytes / 1e9))
        free = available_bytes()
        if free is not None and self.memory_bytes > free:
            lines.append(TOO_LARGE.format(needed=self.memory_bytes / 1e9, free=free / 1e9))
        return tuple(lines)


def forecast(
    grid: Grid, metadata: PackageMetadata, rois: Sequence[Roi] = (), values: GreyValues | None = None
) -> Forecast:
    """Look at a run before it begins.

    Args:
        values: of the scan; None when the file says what kind of scan it is.

    Raises:
        InputError: what ``plan_regions`` refuses.
    """
    regions = plan_regions(grid, metadata, rois)
    windows = [region.slices for region in regions] if metadata.centred else []
    labels = [label for region in regions for label in region.label_set]
    parts = analysed_parts(grid, labels, rois, windows)
    units = about_units(metadata, values) if values is not None else ()
    return Forecast(
        notices=(*units, *about_scan(grid, metadata, parts, {})),
        windows=sum(_windows(region, metadata) for region in regions),
        window_voxels=prod(metadata.patch) * _one_window(metadata).batch,
        memory_bytes=PROGRAM_BYTES + MAP_BYTES * prod(grid.shape) + max(_bytes(region, metadata) for region in regions),
    )


def seconds_a_window(package: Package, engine: Engine) -> float | None:
    """How long the network takes for one window (a batch of slices for a 2D one) here; None for a network that draws
    samples, which is not run window by window. It is one of noise: one of air would be answered from memory."""
    metadata = package.metadata
    if has_latents(metadata):
        return None
    shape = (_one_window(metadata).batch, metadata.channels, *metadata.patch)
    window = np.random.default_rng(0).standard_normal(shape, np.float32)
    run, passes = engine.logits, 1
    if isinstance(engine, MemberEngine):  # one network is in memory at a time, and all of them take as long
        run, passes = partial(engine.pass_logits, engine.run[0]), len(engine.run)
    run(window)  # the first call also prepares
    start = time.perf_counter()
    run(window)
    return (time.perf_counter() - start) * passes


def _one_window(metadata: PackageMetadata) -> WindowPlan:
    return plan_windows((1, *metadata.patch)[-3:], metadata.patch, metadata.overlap)


def _windows(region: Region, metadata: PackageMetadata) -> int:
    if metadata.pipeline is not None:
        return windows_of(region.grid, metadata, metadata.pipeline)
    plan = plan_windows(region.model_grid.shape, metadata.patch, metadata.overlap)
    return -(-plan.count // plan.batch)


def _bytes(region: Region, metadata: PackageMetadata) -> int:
    """Image, and evidence beside logits of every class, on the model's grid; where boxes follow what is found in them,
    the evidence of an earlier place too."""
    if metadata.pipeline is not None:
        passes = len(metadata.pipeline.members) * len(metadata.pipeline.mirrorings)
        return memory_of(region.grid, metadata, metadata.pipeline, passes)
    copies = 2 if metadata.locator is None else 3
    return prod(region.model_grid.shape) * FLOAT_BYTES * (1 + copies * len(metadata.labels))
