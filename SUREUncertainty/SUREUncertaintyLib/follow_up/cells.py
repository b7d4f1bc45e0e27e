"""The numbers of a follow-up as short lines, for panel and page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import sentences as say

SIDES = ("before", "after")
DIAMETERS = {"axial": "Axial (mm)", "longest": "Any direction (mm)"}


def size_lines(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What, on the first and on the second scan: volume and longest diameters of each structure with their ranges."""
    unit, digits = document["unit"], 2 if document["unit"] == "ml" else 0
    lines = []
    for row in document["structures"]:
        first, second = (say.span(row[side]["size"], digits) for side in SIDES)
        lines.append((f"{_begin(document, row)}Volume ({unit})", first, second))
        for key, name in DIAMETERS.items():
            first, second = (say.span(row[side][key], 1) for side in SIDES)
            if first or second:
                lines.append((f"{_begin(document, row)}{name}", first, second))
    return lines


def change_lines(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What changed of each structure, how sure that is, and how fast it doubles."""
    least = say.whole_percent(document["least_share"])
    lines = []
    for row in document["structures"]:
        begin = _begin(document, row)
        found = {
            "Growth": say.signed_percent(row["share"]),
            "Grew, probability": say.percent(row["grown"]),
            f"Grew by {least} or more": say.percent(row["grown_more"]),
            f"Grew by {least} or more, cautiously": say.percent(row["independent"]["grown_more"]),
            f"Shrank by {least} or more": say.percent(row["shrunk_more"]),
            "Volume-doubling time (days)": "" if row["doubling_days"] is None else say.span(row["doubling_days"], 0),
        }
        lines += [(f"{begin}{name}", value) for name, value in found.items() if value]
    return lines


def _begin(document: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """The structure's name where there are several."""
    return f"{row['name']}: " if len(document["structures"]) > 1 else ""
