"""The result file of one arm: everything that tables, intervals and figures are made from."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.plain_json import plain
from ..evaluation.case_result import METRICS
from .arm_case import ArmCase
from .predictor import KEPT

SCHEMA = "sure-uncertainty/comparison-arm/1"
POINT = ("case", "corruption", "level", "near", "far", "dice", "agreement")
"""Columns of ``points``: mean uncertainty within t of the boundary and beyond, Dice with the label and with the clean
result, means over structures."""
STRONGEST = "dice_gaussian"
"""Dice at the strongest Gaussian noise of the evaluation protocol."""
DIGITS = 6


@dataclass(frozen=True)
class ArmResult:
    """A result file as read.

    Attributes:
        facts: what was run: arm, title, estimator, passes, models, seeds, times.
        cases: by id: ``group`` and every mean metric; ``score`` and ``mean`` uncertainty of the clean scan.
        points: one row a case, corruption and level, see ``POINT``; the clean scan once, as corruption ``""``.
        outside: by kind, the rows of ``foreign_scans.score_outside``.
        further: by kind, the rows of ``further_files.measure_further``.
    """

    facts: dict[str, Any]
    cases: dict[str, dict[str, Any]]
    points: tuple[tuple[Any, ...], ...]
    outside: dict[str, list[dict[str, Any]]]
    further: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the arm."""
        return str(self.facts["arm"])

    @property
    def title(self) -> str:
        """Of the arm, for tables."""
        return str(self.facts["title"])

    def values(self, metric: str, ids: Sequence[str]) -> list[float]:
        """A metric of some cases, NaN where undefined."""
        found = [self.cases[identity].get(metric) for identity in ids]
        return [float("nan") if value is None else float(value) for value in found]


def rows_of(cases: Sequence[ArmCase]) -> tuple[dict[str, dict[str, Any]], list[list[Any]]]:
    """``cases`` and ``points`` of a result file."""
    table: dict[str, dict[str, Any]] = {}
    points: list[list[Any]] = []
    for entry in cases:
        result = entry.result
        if result.error:
            continue
        values = {metric: result.value(metric, "mean") for metric in METRICS}
        table[result.id] = {"group": result.group, **values, STRONGEST: _strongest(entry), **entry.uncertainty}
        points += _points(entry)
    return table, points


def skipped_series(cases: Sequence[ArmCase]) -> dict[str, int]:
    """How many cases a corruption could not be run on, by corruption."""
    return dict(Counter(series.corruption for entry in cases for series in entry.series if series.clean is None))


def write_result(path: Path, document: Mapping[str, Any]) -> None:
    """Write a result file, whole or not at all; numbers with six digits, one row of points a line."""
    content = plain(_rounded(document))
    points = content.pop("points")
    text = json.dumps(content, indent=1, allow_nan=False)
    lines = ",\n  ".join(json.dumps(row, allow_nan=False) for row in points)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    partial.write_text(f'{text[:-2]},\n "points": [\n  {lines}\n ]\n}}\n', encoding="utf-8")
    partial.replace(path)


def read_result(path: Path) -> ArmResult:
    """Read what ``write_result`` wrote."""
    document = json.loads(path.read_text(encoding="utf-8"))
    cases, points, outside = (document.pop(key) for key in ("cases", "points", "outside"))
    rows = tuple(tuple(float("nan") if value is None else value for value in row) for row in points)
    return ArmResult(document, cases, rows, outside, document.pop("further", {}))


def read_results(folder: Path, order: Sequence[str] = ()) -> list[ArmResult]:
    """Every arm's result in a folder, those named in ``order`` first."""
    found = {path.stem: read_result(path) for path in sorted(folder.glob("*.json"))}
    names = [*(name for name in order if name in found), *(name for name in found if name not in order)]
    return [found[name] for name in names]


def _strongest(entry: ArmCase) -> float:
    noise = [series for series in entry.series if series.corruption == KEPT and series.levels]
    return noise[0].levels[-1].value("dice") if noise else float("nan")


def _points(entry: ArmCase) -> Iterator[list[Any]]:
    identity = entry.result.id
    clean = next((series.clean for series in entry.series if series.clean is not None), None)
    rows = [] if clean is None else [("", clean)]
    rows += [(series.corruption, row) for series in entry.series for row in series.levels]
    for corruption, row in rows:
        numbers = [row.value(name) for name in ("near_uncertainty", "far_uncertainty", "dice", "agreement_dice")]
        yield [identity, corruption, row.level, *numbers]


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
