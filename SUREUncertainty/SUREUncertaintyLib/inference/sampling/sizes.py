"""Size of a structure with an interval, from the sizes of many samples. Never from independent voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_SAMPLES = 100
COVERAGE = 0.9


@dataclass(frozen=True)
class SizeInterval:
    """Voxels of a structure: median of the samples, and an interval that is meant to hold ``coverage`` of readers."""

    median: float
    low: float
    high: float
    samples: int
    coverage: float = COVERAGE

    def holds(self, size: float) -> bool:
        """Whether a size lies in the interval."""
        return self.low <= size <= self.high


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
