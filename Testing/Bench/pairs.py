"""Honest ratios: both sides in one process, taking turns, medians with an interval."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

PAIRS = 20


@dataclass(frozen=True)
class Ratio:
    """Times of ``baseline`` over times of ``ours``, pair by pair: above 1 means that ours is faster."""

    ours_s: float
    baseline_s: float
    ratio: float
    low: float
    high: float
    pairs: int

    def document(self) -> dict[str, float]:
        """For JSON."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def interleaved(ours: Callable[[], object], baseline: Callable[[], object], pairs: int = PAIRS) -> Ratio:
    """Median ratio of interleaved pairs, with its 95 % bootstrap interval."""
    ours()
    baseline()
    times = np.array([_pair(ours, baseline, swap=bool(number % 2)) for number in range(pairs)])
    ratios = times[:, 1] / times[:, 0]
    draws = np.random.default_rng(0).choice(ratios, (2000, pairs))
    low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
    middle = np.median(times, axis=0)
    return Ratio(float(middle[0]), float(middle[1]), float(np.median(ratios)), float(low), float(high), pairs)


def _pair(ours: Callable[[], object], baseline: Callable[[], object], swap: bool) -> tuple[float, float]:
    """One pair; every other one in the opposite order, so that a drift of the machine cancels."""
    if swap:
        second = _seconds(baseline)
        return _seconds(ours), second
    return _seconds(ours), _seconds(baseline)


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
