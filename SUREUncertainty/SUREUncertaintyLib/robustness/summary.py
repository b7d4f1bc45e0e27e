"""Means over cases: the robustness card of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..core.plain_json import plain
from ..metrics.bootstrap import grouped_bootstrap
from .results import AGREEMENT, BREAKS_BELOW, LEVEL_METRICS, RELATION, SeriesResult


def summarise_corruptions(series: Sequence[SeriesResult], seed: int) -> dict[str, Any]:
    """By corruption: every metric's mean at every level, UR and tau, and where it breaks.

    ``levels[LEVEL][METRIC] = {mean, low, high, n}``: the mean over structures, then over the cases of a group, then
    over groups, with the bootstrap interval over groups. ``breaks_at`` is the lowest level at which the mean agreement
    is below 0.9; ``broken_cases`` how many cases break at any level.
    """
    names = dict.fromkeys(result.corruption for result in series)
    return {name: _summarise([result for result in series if result.corruption == name], seed) for name in names}


def _summarise(series: Sequence[SeriesResult], seed: int) -> dict[str, Any]:
    done = [result for result in series if result.clean is not None]
    levels = _by_level(done, seed)
    groups = [result.group for result in done]
    return {
        "n_cases": len(done),
        "skipped": dict(Counter(result.skipped for result in series if result.skipped)),
        "undefined": _undefined(done),
        "breaks_at": _breaking_level(levels),
        "broken_cases": sum(result.breaks_at is not None for result in done),
        "relation": {
            name: _interval([result.relation.get(name, float("nan")) for result in done], groups, seed)
            for name in RELATION
        },
        "levels": levels,
    }


def _by_level(done: Sequence[SeriesResult], seed: int) -> dict[str, dict[str, Any]]:
    strengths = sorted({row.level for result in done for row in result.rows})
    return {f"{level:g}": _at_level(done, level, seed) for level in strengths}


def _at_level(done: Sequence[SeriesResult], level: float, seed: int) -> dict[str, Any]:
    found = [(result.group, row) for result in done for row in result.rows if row.level == level]
    groups = [group for group, _ in found]
    means = {metric: _interval([row.value(metric) for _, row in found], groups, seed) for metric in LEVEL_METRICS}
    return {"physical": found[0][1].physical, "metrics": means}


def _interval(values: Sequence[float], groups: Sequence[str], seed: int) -> dict[str, Any]:
    return dict(plain(vars(grouped_bootstrap(values, groups, seed))))


def _breaking_level(levels: dict[str, dict[str, Any]]) -> float | None:
    for level, entry in levels.items():
        mean = entry["metrics"][AGREEMENT[0]]["mean"]
        if mean is not None and mean < BREAKS_BELOW:
            return float(level)
    return None


def _undefined(done: Sequence[SeriesResult]) -> dict[str, dict[str, int]]:
    """(Case, level) pairs by metric and reason; series by relation and reason."""
    counts: dict[str, Counter[str]] = {}
    for result in done:
        for row in result.rows:
            for metric, reasons in row.undefined.items():
                counts.setdefault(metric, Counter()).update(reasons.values())
        for name, reason in result.undefined.items():
            counts.setdefault(name, Counter())[reason] += 1
    return {metric: dict(found) for metric, found in counts.items()}
