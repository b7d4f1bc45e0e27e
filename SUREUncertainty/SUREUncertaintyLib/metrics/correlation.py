"""How two numbers of many scans go together: rank and linear correlation, and the area under the ROC curve."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, pearsonr, rankdata


def auroc(values: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, ties count half (Mann-Whitney); NaN without both kinds."""
    high, low = values[positive], values[~positive]
    if not (high.size and low.size):
        return float("nan")
    return float(mannwhitneyu(high, low, method="asymptotic").statistic) / (high.size * low.size)


def pearson(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's r of the pairs in which both are defined; NaN with fewer than three or a constant."""
    first, second = _defined(x, y)
    return _correlation(first, second)


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rho with mid-ranks of the pairs in which both are defined; NaN as in ``pearson``."""
    first, second = _defined(x, y)
    return _correlation(rankdata(first), rankdata(second))


def partial_spearman(x: Sequence[float], y: Sequence[float], given: Sequence[float]) -> float:
    """Spearman's rho of x and y with the ranks of ``given`` held equal (first-order partial correlation)."""
    first, second, third = (rankdata(part) for part in _defined(x, y, given))
    xy, xz, yz = _correlation(first, second), _correlation(first, third), _correlation(second, third)
    rest = (1.0 - xz**2) * (1.0 - yz**2)
    return (xy - xz * yz) / math.sqrt(rest) if math.isfinite(rest) and rest > 1e-12 else float("nan")


def _defined(*columns: Sequence[float]) -> list[NDArray[np.float64]]:
    table = np.array(columns, dtype=np.float64)
    return list(table[:, np.isfinite(table).all(axis=0)])


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    if first.size < 3 or np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return float("nan")
    return float(pearsonr(first, second).statistic)
