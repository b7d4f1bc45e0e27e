"""The tables of a result as CSV files, for spreadsheets and statistics."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..analysis.rows import StructureRow, UncertainRegion
from ..analysis.wholes import Asymmetry, WholeRow
from ..core.dataclass_json import to_json
from ..core.safe_names import table_cell


def write_structures(rows: Iterable[StructureRow], path: Path) -> None:
    """``structures.csv``: one line a structure; cells without a value are empty."""
    _write([structure_record(row) for row in rows], _columns(StructureRow), path)


def write_regions(rows: Iterable[UncertainRegion], path: Path) -> None:
    """``regions.csv``: one line an uncertain region, the most uncertain first; positions are RAS mm."""
    names = _columns(UncertainRegion)
    at = names.index("centre_ras")
    columns = [*names[:at], "r_mm", "a_mm", "s_mm", *names[at + 1 :]]
    _write([_flat(row) for row in rows], columns, path)


def structure_record(row: StructureRow | WholeRow | Asymmetry) -> dict[str, Any]:
    """The row ready for JSON: NaN becomes None."""
    return {name: _rounded(value) for name, value in to_json(row).items()}


def region_record(row: UncertainRegion) -> dict[str, Any]:
    """The row ready for JSON."""
    return {name: _rounded(value) for name, value in to_json(row).items()}


def _flat(row: UncertainRegion) -> dict[str, Any]:
    record = region_record(row)
    return record | dict(zip(("r_mm", "a_mm", "s_mm"), record.pop("centre_ras"), strict=True))


def _write(records: Iterable[Mapping[str, Any]], columns: list[str], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows({key: table_cell(value) for key, value in record.items()} for record in records)


def _columns(kind: Any) -> list[str]:
    return list(kind.__dataclass_fields__)


def _rounded(value: Any) -> Any:
    """Numbers to seven digits, which is what float32 maps can hold."""
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value
