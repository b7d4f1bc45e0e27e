"""Does the uncertainty about a scan tell how good its segmentation is? Over cases, corruptions and levels.

A point is one scan as it came in, clean or damaged: its mean uncertainty near the boundary, and its Dice. Rank
correlation of uncertainty with the loss of Dice (Spearman), and the area under the risk-coverage curve (Geifman and
El-Yaniv 2017): scans are accepted in order of rising uncertainty, risk is the mean of 1 - Dice over the accepted ones,
and the area is its mean over all numbers of accepted scans.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..metrics.bootstrap import LEVEL, Interval
from ..metrics.correlation import spearman
from .arm_result import POINT, ArmResult

RESAMPLES = 1000
Key = tuple[str, str, float]
Statistic = Callable[["Points"], float]


@dataclass(frozen=True, eq=False)
class Points:
    """The scans of one arm: (case, corruption, level), group, whether damaged, uncertainty, Dice, Dice when clean."""

    keys: tuple[Key, ...]
    group: NDArray[np.str_]
    damaged: NDArray[np.bool_]
    uncertainty: NDArray[np.float64]
    dice: NDArray[np.float64]
    clean: NDArray[np.float64]

    def at(self, index: NDArray[np.integer]) -> Points:
        """Some of the points, repeated where the index repeats."""
        return replace(self.resampled(index), keys=tuple(self.keys[place] for place in index))

    def resampled(self, index: NDArray[np.integer]) -> Points:
        """As ``at`` without keys, for the many draws of a bootstrap."""
        columns = (self.group, self.damaged, self.uncertainty, self.dice, self.clean)
        return Points((), *(column[index] for column in columns))


def points_of(result: ArmResult) -> Points:
    """Every point whose uncertainty and Dice are defined."""
    case, corruption, level, near, dice = (
        POINT.index(name) for name in ("case", "corruption", "level", "near", "dice")
    )
    clean = {row[case]: row[dice] for row in result.points if not row[corruption]}
    rows = [row for row in result.points if np.isfinite([row[near], row[dice], clean.get(row[case], np.nan)]).all()]
    return Points(
        tuple((str(row[case]), str(row[corruption]), float(row[level])) for row in rows),
        np.array([result.cases[row[case]]["group"] for row in rows], dtype=np.str_),
        np.array([bool(row[corruption]) for row in rows], dtype=bool),
        np.array([row[near] for row in rows], dtype=np.float64),
        np.array([row[dice] for row in rows], dtype=np.float64),
        np.array([clean[row[case]] for row in rows], dtype=np.float64),
    )


def in_common(first: Points, second: Points) -> tuple[Points, Points]:
    """The points that both arms have, in the same order."""
    place = {key: number for number, key in enumerate(second.keys)}
    pairs = [(number, place[key]) for number, key in enumerate(first.keys) if key in place]
    index = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return first.at(index[:, 0]), second.at(index[:, 1])


def loss_correlation(points: Points) -> float:
    """Spearman's rho of uncertainty and loss of Dice over the damaged scans; NaN with fewer than three."""
    uncertainty, loss = points.uncertainty[points.damaged], (points.clean - points.dice)[points.damaged]
    return spearman(uncertainty.tolist(), loss.tolist())


def risk_coverage(points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coverage (share of scans accepted, least uncertain first) and risk (their mean 1 - Dice), one value a scan."""
    order = np.argsort(points.uncertainty, kind="stable")
    accepted = np.arange(1, order.size + 1)
    return accepted / max(order.size, 1), np.cumsum(1.0 - points.dice[order]) / accepted


def risk_area(points: Points) -> float:
    """Area under the risk-coverage curve; smaller is better, NaN without a scan."""
    return float(risk_coverage(points)[1].mean()) if points.uncertainty.size else float("nan")


def with_interval(points: Points, statistic: Statistic, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """A statistic with its percentile interval from resampling groups."""
    return _interval(statistic(points), [points], lambda parts: statistic(parts[0]), seed, resamples)


def difference_of(
    first: Points, second: Points, statistic: Statistic, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """Statistic of the first arm minus that of the second on the points of both, groups resampled together."""
    pair = in_common(first, second)

    def difference(parts: Sequence[Points]) -> float:
        return statistic(parts[0]) - statistic(parts[1])

    return _interval(difference(pair), pair, difference, seed, resamples)


def _interval(
    value: float, parts: Sequence[Points], statistic: Callable[[Sequence[Points]], float], seed: int, resamples: int
) -> Interval:
    members = [np.flatnonzero(parts[0].group == name) for name in np.unique(parts[0].group)]
    if len(members) < 2 or np.isnan(value):
        return Interval(value, float("nan"), float("nan"), len(members))
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        index = np.concatenate([members[n] for n in generator.integers(0, len(members), len(members))])
        drawn.append(statistic([part.resampled(index) for part in parts]))
    low, high = np.nanquantile(drawn, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Interval(value, float(low), float(high), len(members))
