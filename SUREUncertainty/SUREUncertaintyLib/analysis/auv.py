"""AUV, the aleatoric uncertainty value: the place of a scan's scale S within a cohort, 1 = hardest.

AUV_i = 1 - (ln S_i - min ln S) / (max ln S - min ln S) over the cohort (Li, Liu, Jiao et al., CVPR 2026). It is
strictly decreasing in S, so filtering depends on ranks only; it is relative to the cohort and follows its outliers, so
values of different cohorts or extractors cannot be compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_SCALE = 1e-8
ALL_EQUAL = "Every scan has the same scale, so none is harder than another; hardness is 0 for all."
NOTHING_DEFINED = "No scan has a defined scale, so there is no hardness."


@dataclass(frozen=True)
class AuvRange:
    """The cohort's smallest and largest ln S. ``warning`` says why AUV means nothing, empty where it does."""

    low: float
    high: float
    warning: str = ""

    def auv(self, scale: float) -> float:
        """AUV of a scan of the cohort; NaN for an undefined scale."""
        if not math.isfinite(scale):
            return float("nan")
        if self.high <= self.low:
            return 0.0
        return 1.0 - (math.log(max(scale, LEAST_SCALE)) - self.low) / (self.high - self.low)

    def place(self, scale: float) -> tuple[float, bool]:
        """AUV of a scan that is not in the cohort, clipped to [0, 1], and whether S lies outside the cohort's range."""
        value = self.auv(scale)
        if not math.isfinite(value):
            return value, False
        logarithm = math.log(max(scale, LEAST_SCALE))
        return min(max(value, 0.0), 1.0), not self.low <= logarithm <= self.high


def auv_range(scales: Iterable[float]) -> AuvRange:
    """The range of a cohort; undefined scales (NaN) do not count."""
    logarithms = [math.log(max(scale, LEAST_SCALE)) for scale in scales if math.isfinite(scale)]
    if not logarithms:
        return AuvRange(0.0, 0.0, NOTHING_DEFINED)
    low, high = min(logarithms), max(logarithms)
    return AuvRange(low, high, ALL_EQUAL if low == high else "")


def auv_values(scales: Sequence[float]) -> NDArray[np.float64]:
    """AUV of every scan of a cohort, NaN where the scale is."""
    span = auv_range(scales)
    return np.array([span.auv(scale) for scale in scales], dtype=np.float64)


def mean_scale(scales: Iterable[float]) -> float:
    """S of a scan: the mean over its valid foreground classes; NaN when there is none."""
    valid = [scale for scale in scales if math.isfinite(scale)]
    return float(np.mean(valid)) if valid else float("nan")
