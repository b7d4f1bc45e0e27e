"""The list of uncertain regions as a person works through it; marks are kept in the scene."""

from __future__ import annotations

import json
from typing import Any

from ..analysis.rows import UncertainRegion

_REVIEWED = "SURE.Reviewed"
"""Attribute of the table of regions: JSON list of the reviewed regions."""


def read_regions(node: Any) -> tuple[UncertainRegion, ...]:
    """The rows of a table of regions, also of one that came with a saved scene (columns are then text)."""
    table = node.GetTable()
    return tuple(_region(table, row) for row in range(table.GetNumberOfRows()))


def is_reviewed(node: Any, region: UncertainRegion) -> bool:
    """Whether a person has marked this place."""
    return _key(region) in _marks(node)


def mark_reviewed(node: Any, region: UncertainRegion, reviewed: bool) -> None:
    """Mark a place, or take the mark away. A place is known by its position, so that marks survive a new ranking."""
    marks = _marks(node)
    marks.discard(_key(region))
    if reviewed:
        marks.add(_key(region))
    node.SetAttribute(_REVIEWED, json.dumps(sorted(marks)))


def next_open(node: Any, after: int = 0) -> UncertainRegion | None:
    """The most uncertain region after rank ``after`` that nobody has reviewed, else the first open one at all."""
    waiting = [region for region in read_regions(node) if not is_reviewed(node, region)]
    later = [region for region in waiting if region.rank > after]
    return next(iter(later or waiting), None)


def _marks(node: Any) -> set[str]:
    text = node.GetAttribute(_REVIEWED)
    return set(json.loads(text)) if text else set()


def _key(region: UncertainRegion) -> str:
    return ",".join(f"{value:.1f}" for value in region.centre_ras)


def _region(table: Any, row: int) -> UncertainRegion:
    def number(name: str) -> float:
        return float(table.GetValueByName(row, name).ToDouble())

    return UncertainRegion(
        rank=int(number("rank")),
        centre_ras=(number("r_mm"), number("a_mm"), number("s_mm")),
        size_mm3=number("size_mm3"),
        voxels=int(number("voxels")),
        mean_uncertainty=number("mean_uncertainty"),
        max_uncertainty=number("max_uncertainty"),
        score=number("score"),
        structure=str(table.GetValueByName(row, "structure").ToString()),
        reason=str(table.GetValueByName(row, "reason").ToString()) if table.GetColumnByName("reason") else "",
    )
