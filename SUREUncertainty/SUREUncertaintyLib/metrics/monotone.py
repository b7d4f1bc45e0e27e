"""Regression that never falls: isotonic in one measure, and a sum of rising curves in several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RisingCurve:
    """Straight lines between knots, constant beyond the outer ones; ``y`` never falls."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def at(self, values: ArrayLike) -> Array:
        """The curve's height; where a value is unknown (NaN), its greatest one: unknown is no better than bad."""
        numbers = np.asarray(values, np.float64)
        return np.interp(np.where(np.isnan(numbers), np.inf, numbers), self.x, self.y)


@dataclass(frozen=True)
class RisingSum:
    """``base`` plus one rising curve a measure: an additive model that is monotone in every measure."""

    base: float
    curves: Mapping[str, RisingCurve]

    def at(self, measures: Mapping[str, ArrayLike]) -> Array:
        """The sum, of the shape to which the measures broadcast."""
        return np.asarray(self.base + sum(curve.at(measures[name]) for name, curve in self.curves.items()), np.float64)


def fit_rising_sum(
    measures: Mapping[str, Array], target: Array, weights: Array, knots: int = 6, ridge: float = 0.01
) -> RisingSum:
    """Least squares with coefficients that cannot be negative (Lawson and Hanson 1974), one a piece of a curve.

    Args:
        measures: (n) each; a measure that is unknown everywhere or the same everywhere is left out.
        target: (n). weights: (n), their scale does not matter.
        knots: of a curve, at even quantiles of the measure.
        ridge: on every coefficient, as a share of the sum of weights; shares the slope out among measures alike.
    """
    from scipy.optimize import nnls

    places = {name: _knots(values, knots) for name, values in measures.items()}
    used = [name for name, x in places.items() if x.size > 1]
    columns = [_ramps(measures[name], places[name]) for name in used]
    table = np.concatenate([np.ones((1, target.size)), *columns]).T
    scale = np.sqrt(weights / weights.sum())
    penalty = np.sqrt(ridge) * np.eye(table.shape[1])[1:]
    rows = np.concatenate([table * scale[:, np.newaxis], penalty])
    solved, _ = nnls(rows, np.concatenate([target * scale, np.zeros(len(penalty))]))
    curves, start = {}, 1
    for name in used:
        steps = solved[start : start + places[name].size - 1]
        start += steps.size
        if steps.any():
            heights = np.concatenate([[0.0], np.cumsum(steps)])
            curves[name] = RisingCurve(tuple(places[name].tolist()), tuple(heights.tolist()))
    return RisingSum(float(solved[0]), curves)


def fit_rising_curve(x: Array, y: Array, weights: Array, knots: int = 6) -> RisingCurve:
    """A curve through the means of y in groups of even weight along x, made rising (pool adjacent violators)."""
    order = np.argsort(x, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    group = np.minimum((share * knots - 1e-9).astype(int), knots - 1)
    found = [order[group == n] for n in range(knots) if (group == n).any()]
    centres = np.array([np.average(x[part], weights=weights[part]) for part in found])
    heights = np.array([np.average(y[part], weights=weights[part]) for part in found])
    rising = pooled(heights, np.array([weights[part].sum() for part in found]))
    return RisingCurve(tuple(centres.tolist()), tuple(rising.tolist()))


def pooled(values: Array, weights: Array) -> Array:
    """The rising sequence nearest to ``values`` (weighted least squares), by pooling adjacent violators."""
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values, weights=weights).x, np.float64)


def _knots(values: Array, count: int) -> Array:
    known = values[np.isfinite(values)]
    if not known.size:
        return np.empty(0)
    return np.unique(np.quantile(known, np.linspace(0.0, 1.0, count)))


def _ramps(values: Array, knots: Array) -> Array:
    """(knots - 1, n): how far each value has climbed each piece, 0..1."""
    numbers = np.where(np.isnan(values), np.inf, values)
    low, high = knots[:-1, np.newaxis], knots[1:, np.newaxis]
    return np.clip((numbers - low) / (high - low), 0.0, 1.0)


def table_of(rows: Sequence[Mapping[str, float]]) -> dict[str, Array]:
    """Rows with the same names as columns."""
    return {name: np.array([row[name] for row in rows], np.float64) for name in (rows[0] if rows else {})}
