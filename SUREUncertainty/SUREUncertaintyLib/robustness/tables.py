"""``robustness.csv`` and ``robustness.json``."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..core.labels import Label
from ..core.plain_json import plain
from ..core.safe_names import table_row
from ..evaluation.case_result import MEAN
from .results import LEVEL_METRICS, RELATION, LevelResult, SeriesResult

CSV = "robustness.csv"
JSON = "robustness.json"
IDENTITY = ("id", "group", "split", "corruption")
COLUMNS = (*IDENTITY, "level", "physical", "structure", *LEVEL_METRICS, *RELATION, "boundary", "undefined", "problem")


def write_tables(
    series: Sequence[SeriesResult], document: dict[str, Any], classes: tuple[Label, ...], folder: Path
) -> None:
    """Write both files into ``folder``: one line a case, corruption, level and structure, "mean" included."""
    names = [*(label.name for label in classes if label.value != 0), MEAN]
    with (folder / CSV).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for result in series:
            writer.writerows(map(table_row, _lines(result, names)))
    text = json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / JSON).write_text(text + "\n", encoding="utf-8")


def _lines(result: SeriesResult, names: Sequence[str]) -> Iterator[list[str]]:
    head = [result.id, result.group, result.split, result.corruption]
    if result.clean is None:
        yield [*head, *[""] * (len(COLUMNS) - len(head) - 1), result.error or result.skipped]
    for row in result.rows:
        for name in names:
            yield [*head, *_cells(row, result, name)]


def _cells(row: LevelResult, result: SeriesResult, name: str) -> list[str]:
    physical = "; ".join(f"{key}={value:g}" for key, value in row.physical.items())
    metrics = [_number(row.value(metric, name)) for metric in LEVEL_METRICS]
    relation = [_number(result.relation.get(key, float("nan"))) if name == MEAN else "" for key in RELATION]
    reasons = [f"{metric}: {found[name]}" for metric, found in row.undefined.items() if name in found]
    reasons += [f"{key}: {text}" for key, text in result.undefined.items()] if name == MEAN else []
    return [f"{row.level:g}", physical, name, *metrics, *relation, result.boundary, "; ".join(reasons), ""]


def _number(value: float) -> str:
    return "" if value != value else f"{value:.10g}"
