"""``summary.json`` and ``cases.csv`` of an evaluation."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.labels import Label
from ..core.plain_json import plain
from ..core.safe_names import table_row
from ..metrics.bootstrap import LEVEL, RESAMPLES, Interval, grouped_bootstrap
from .case_result import MEAN, METRICS, PER_STRUCTURE, VOLUME_METRICS, CaseResult

SCHEMA = "sure-uncertainty/summary/1"
WORST = 5
"""Cases that are named."""
WORST_METRICS = ("dice", "hd95_mm", *VOLUME_METRICS)
FACTS = ("boundary", "undefined", "error")


def summarise(results: Sequence[CaseResult], classes: tuple[Label, ...], run: dict[str, Any]) -> dict[str, Any]:
    """The content of ``summary.json``.

    ``metrics[NAME][STRUCTURE or "mean"] = {mean, low, high, n}``: "mean" is over structures within a case; then the
    mean over the cases of a group, then over groups; n counts groups; low and high are the percentile bootstrap
    interval over groups, null with fewer than two. ``undefined[NAME][STRUCTURE or "mean"]`` counts cases by reason.
    """
    good = [result for result in results if not result.error]
    seed = int(run["seed"])
    return {
        "schema": SCHEMA,
        **run,
        "n_cases": len(results),
        "n_groups": len({result.group for result in good}),
        "n_failed": len(results) - len(good),
        "failed": [{"id": result.id, "error": result.error} for result in results if result.error],
        "interval": {"method": "percentile bootstrap over groups", "level": LEVEL, "resamples": RESAMPLES},
        "boundary": dict(Counter(result.boundary for result in good)),
        "undefined": _undefined(good),
        "worst": _worst(good, classes),
        "metrics": {
            metric: {name: _interval(good, metric, name, seed) for name in _columns(metric, classes)}
            for metric in METRICS
        },
        "far_uncertainty_by_level": _far_by_level(good, seed),
    }


def write_results(
    results: Sequence[CaseResult], summary: dict[str, Any], classes: tuple[Label, ...], folder: Path
) -> None:
    """Write ``cases.csv`` (one row a case and structure, "mean" included) and ``summary.json`` into ``folder``."""
    with (folder / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "group", "split", "structure", *METRICS, *FACTS))
        for result in results:
            writer.writerows(map(table_row, _rows(result, classes)))
    text = json.dumps(plain(summary), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")


def _worst(results: Sequence[CaseResult], classes: tuple[Label, ...]) -> list[dict[str, Any]]:
    """The cases of the lowest mean Dice, the worst first, with what else people ask about them."""
    known = [result for result in results if result.value("dice", MEAN) == result.value("dice", MEAN)]
    known.sort(key=lambda result: result.value("dice", MEAN))
    named = (
        {
            "id": result.id,
            "group": result.group,
            **{metric: result.value(metric, MEAN) for metric in WORST_METRICS},
            "structures": {name: result.value("dice", name) for name in _columns("dice", classes)[:-1]},
        }
        for result in known[:WORST]
    )
    return [dict(plain(case)) for case in named]


def _columns(metric: str, classes: tuple[Label, ...]) -> list[str]:
    names = [label.name for label in classes if label.value != 0] if metric in PER_STRUCTURE else []
    return [*names, MEAN]


def _interval(results: Sequence[CaseResult], metric: str, name: str, seed: int) -> dict[str, Any]:
    values = [result.value(metric, name) for result in results]
    return _document(grouped_bootstrap(values, [result.group for result in results], seed))


def _document(interval: Interval) -> dict[str, Any]:
    return dict(plain(vars(interval)))


def _far_by_level(results: Sequence[CaseResult], seed: int) -> dict[str, dict[str, Any]]:
    levels = dict.fromkeys(level for result in results for level in result.far_by_level)
    groups = [result.group for result in results]
    return {
        level: _document(
            grouped_bootstrap([result.far_by_level.get(level, float("nan")) for result in results], groups, seed)
        )
        for level in levels
    }


def _undefined(results: Sequence[CaseResult]) -> dict[str, dict[str, dict[str, int]]]:
    """Cases by reason for every metric and structure that has any."""
    counts: dict[str, dict[str, Counter[str]]] = {}
    for result in results:
        for metric, reasons in result.undefined.items():
            for name, reason in reasons.items():
                counts.setdefault(metric, {}).setdefault(name, Counter())[reason] += 1
    return {metric: {name: dict(found) for name, found in entry.items()} for metric, entry in counts.items()}


def _rows(result: CaseResult, classes: tuple[Label, ...]) -> list[list[str]]:
    head = [result.id, result.group, result.split]
    if result.error:
        return [[*head, "", *[""] * len(METRICS), "", "", result.error]]
    names = _columns(PER_STRUCTURE[0], classes)
    return [[*head, name, *_cells(result, name), result.boundary, _reasons(result, name), ""] for name in names]


def _cells(result: CaseResult, name: str) -> list[str]:
    values = [result.value(metric, name) for metric in METRICS]
    return ["" if value != value else f"{value:.10g}" for value in values]


def _reasons(result: CaseResult, name: str) -> str:
    found = [f"{metric}: {reasons[name]}" for metric, reasons in result.undefined.items() if name in reasons]
    return "; ".join(found)
