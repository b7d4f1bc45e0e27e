"""``labels.csv``: what the values of a label map mean, with DICOM's codes."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.errors import PackageError
from ...core.uncertainty_colours import label_colour
from ..dicom_table import terminology_of

LARGEST = 255


def read_labels_csv(path: Path) -> dict[int, dict[str, Any]]:
    """Entries of ``configs/metadata.json`` by value.

    Raises:
        PackageError: no file that can be read, no columns ``LabelValue`` and ``Name``, or values that are none.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PackageError(f"The file {path.name} cannot be read as a table: {error}.") from error
    if not rows or not {"LabelValue", "Name"} <= set(rows[0]):
        raise PackageError(f"The table {path.name} needs the columns LabelValue and Name, and at least one row.")
    found = {}
    for row in rows:
        value = _value(row, path)
        found[value] = _entry(value, row)
    return found


def _value(row: Mapping[str, str | None], path: Path) -> int:
    text = (row["LabelValue"] or "").strip()
    if not text.isdecimal() or not 0 <= int(text) <= LARGEST:
        raise PackageError(
            f"The table {path.name} holds the LabelValue '{text}'; expected a whole number from 0 to 255."
        )
    return int(text)


def _entry(value: int, row: Mapping[str, str | None]) -> dict[str, Any]:
    name, codes = (row["Name"] or "").strip() or f"class {value}", terminology_of(row)
    entry: dict[str, Any] = {"value": value, "name": name, "color": list(label_colour(value)) if value else [0, 0, 0]}
    return {**entry, "terminology": codes} if codes else entry
