"""Sizes of a structure with intervals, from those of many samples. Never from independent voxels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...analysis.diameters import diameters

LEAST_SAMPLES = 100
COVERAGE = 0.9


@dataclass(frozen=True)
class SizeInterval:
    """A size of a structure: median of the samples, and the interval of their middle ``coverage``, stretched or not.

    Voxels of a structure (``size_interval`` with the package's stretch is meant to hold ``coverage`` of readers), or
    mm of a diameter, whose coverage of readers was not measured.
    """

    median: float
    low: float
    high: float
    samples: int
    coverage: float = COVERAGE

    def holds(self, size: float) -> bool:
        """Whether a size lies in the interval."""
        return self.low <= size <= self.high


@dataclass(frozen=True)
class Diameter:
    """A longest diameter in mm: of the mean answer, and over the samples."""

    answer: float
    interval: SizeInterval


@dataclass(frozen=True)
class SampleSize:
    """A structure in one sample: voxels of the model's grid, and longest diameters in mm, NaN where lengths are not
    known."""

    voxels: int
    axial_mm: float = math.nan
    longest_mm: float = math.nan


def stretched(sizes: Sequence[float] | NDArray[np.float64], stretch: float) -> NDArray[np.float64]:
    """Sizes of samples as far apart as readers' sizes are: each one's distance from the median is multiplied, and
    none falls below 0."""
    drawn = np.asarray(sizes, dtype=np.float64)
    median = np.median(drawn)
    return np.maximum(0.0, median + stretch * (drawn - median))


def size_interval(
    sizes: Sequence[float] | NDArray[np.float64], coverage: float = COVERAGE, stretch: float = 1.0
) -> SizeInterval:
    """The interval from the sizes of at least 100 samples; quantiles by linear interpolation.

    Args:
        stretch: each end's distance from the median is multiplied by it (never below a size of 0). A package carries
            the one with which the interval held ``coverage`` of the readers' sizes on its tuning cases.

    Raises:
        ValueError: fewer than 100 samples.
    """
    if len(sizes) < LEAST_SAMPLES:
        raise ValueError(f"an interval needs at least {LEAST_SAMPLES} samples, got {len(sizes)}")
    tail = (1.0 - coverage) / 2.0
    low, median, high = (float(x) for x in np.quantile(np.asarray(sizes, float), (tail, 0.5, 1.0 - tail)))
    ends = max(0.0, median - stretch * (median - low)), median + stretch * (high - median)
    return SizeInterval(median, *ends, len(sizes), coverage)


def channel_sizes(winners: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Voxels of every channel in one sample, (C,)."""
    return np.bincount(winners.ravel(), minlength=classes)


def sample_sizes(
    winners: NDArray[np.uint8], classes: int, spacing: tuple[float, float, float] | None, axial: int
) -> tuple[SampleSize, ...]:
    """Every structure of one sample (k, j, i), background left out.

    Args:
        spacing: mm along (k, j, i); None where the scan does not tell it.
        axial: axis of the axial slices.
    """
    voxels = channel_sizes(winners, classes)
    if spacing is None:
        return tuple(SampleSize(int(count)) for count in voxels[1:])
    found = []
    for channel, count in enumerate(voxels[1:], start=1):
        across = diameters(winners == channel, spacing, axial)
        found.append(SampleSize(int(count), across.axial, across.longest))
    return tuple(found)
