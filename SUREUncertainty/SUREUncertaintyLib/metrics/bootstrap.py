"""Intervals by resampling whole groups, because scans of one subject are not independent."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000
LEVEL = 0.95
BLOCK = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A mean with its interval.

    Attributes:
        mean: mean over groups of the groups' means; NaN when nothing is defined.
        low, high: percentile bootstrap interval; NaN with fewer than two groups, where none exists.
        n: groups that contribute.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0 (False without an interval)."""
        return self.low > 0.0 or self.high < 0.0


def group_means(values: ArrayLike, groups: Sequence[Hashable]) -> NDArray[np.float64]:
    """Mean of the defined values of each group, in order of first appearance; groups without one are left out."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (len(groups),):
        raise ValueError(f"{numbers.shape} values for {len(groups)} groups")
    gathered: dict[Hashable, list[float]] = {}
    for number, group in zip(numbers.tolist(), groups, strict=True):
        if not np.isnan(number):
            gathered.setdefault(group, []).append(number)
    return np.array([np.mean(part) for part in gathered.values()], dtype=np.float64)


def grouped_bootstrap(
    values: ArrayLike, groups: Sequence[Hashable], seed: int = 0, resamples: int = RESAMPLES, level: float = LEVEL
) -> Interval:
    """Mean over groups of case values, with a percentile interval from resampling groups with replacement.

    NaN values are left out. The same seed gives the same interval. (Efron and Tibshirani 1993, cluster bootstrap.)
    """
    means = group_means(values, groups)
    if not means.size:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    centre = float(means.mean())
    if means.size == 1:
        return Interval(centre, float("nan"), float("nan"), 1)
    low, high = np.quantile(_resampled_means(means, seed, resamples), [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(centre, float(low), float(high), int(means.size))


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[Hashable],
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Mean of first - second over the same cases, with its interval; a case undefined in either is left out."""
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    return grouped_bootstrap(difference, groups, seed, resamples, level)


def _resampled_means(means: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """Means of ``resamples`` draws with replacement, in blocks that bound the memory."""
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK // means.size)
    parts = [
        means[generator.integers(0, means.size, size=(min(block, resamples - start), means.size))].mean(axis=1)
        for start in range(0, resamples, block)
    ]
    return np.concatenate(parts)
