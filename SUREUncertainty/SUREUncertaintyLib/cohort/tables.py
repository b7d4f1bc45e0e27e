"""The tables of a cohort: all structures of all cases, and the worklist."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..analysis.rows import StructureRow
from ..core.safe_names import table_cell
from ..files.writing import write_text
from .case_row import CaseRow
from .correction_order import correction_order

STRUCTURES, WORKLIST = "structures.csv", "worklist.csv"
WORKLIST_COLUMNS = (
    "rank",
    "correct_first",
    "id",
    "group",
    "status",
    "predicted_dice",
    "predicted_dice_low",
    "predicted_dice_high",
    "predicted_dice_at_least",
    "no_forecast",
    "reasons",
    "uncertain_regions",
    "r_mm",
    "a_mm",
    "s_mm",
    "dice",
    "seconds",
    "image",
    "folder",
    "error",
)


def write_tables(rows: Sequence[CaseRow], folder: Path) -> None:
    """``structures.csv``: a line a structure and case; ``worklist.csv``: a line a case, what needs a person first.

    Raises:
        OutputError: they cannot be written.
    """
    named = ("id", "group", *StructureRow.__dataclass_fields__, "dice")
    write_text(folder / STRUCTURES, _csv(named, (line for row in rows for line in _structures(row))))
    first = {id_: number for number, id_ in enumerate(correction_order(rows), 1)}
    lines = ({**_line(n, row), "correct_first": first.get(row.id)} for n, row in enumerate(rows, 1))
    write_text(folder / WORKLIST, _csv(WORKLIST_COLUMNS, lines))


def _structures(row: CaseRow) -> Iterable[dict[str, Any]]:
    for structure in row.structures:
        yield {"id": row.id, "group": row.group, **structure, "dice": row.scores.get(str(structure["name"]))}


def _line(rank: int, row: CaseRow) -> dict[str, Any]:
    place = dict(zip(("r_mm", "a_mm", "s_mm"), row.place, strict=False))
    own = {name: vars(row)[name] for name in WORKLIST_COLUMNS if name in vars(row)}
    return own | place | {"rank": rank, "reasons": " ".join(row.reasons), "uncertain_regions": row.regions}


def _csv(columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in line.items()} for line in lines)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Numbers to seven digits; what is undefined is empty."""
    if isinstance(value, float):
        return "" if value != value else float(f"{value:.7g}")
    return "" if value is None else table_cell(value)
