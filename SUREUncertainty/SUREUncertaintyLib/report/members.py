"""What several members add to a results folder, to ``report.json`` and to the page: how far they agree."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ..analysis.agreement import Members
from ..files.writing import write_volume
from .html_parts import ABSENT, number, paragraphs, section, table

TITLE = "Agreement of the members"
MOST_PAIRS = 10
"""Pairs that a table still shows one by one: those of five members."""

EXPLAINED = (
    "Dice of two members is 1 where they mark the same voxels and 0 where they share none. The same shift of an "
    "outline costs a small structure more than a large one. Agreement is no proof: members can share one error."
)


def write_members(members: Members, folder: Path) -> None:
    """Write ``maps/NAME.nrrd``, ``agreement.csv`` (one line a pair and structure) and ``member-volumes.csv``."""
    for name, volume in members.maps.items():
        (folder / "maps").mkdir(exist_ok=True)
        write_volume(volume, folder / "maps" / f"{name}.nrrd")
    document = members.to_json()
    _write_rows(folder / "agreement.csv", ("value", "name", "first", "second", "dice"), _pair_rows(document))
    _write_rows(folder / "member-volumes.csv", ("value", "name", "member", "volume_ml"), _volume_rows(document))


def agreement_section(document: Mapping[str, Any]) -> str:
    """The section of the page; "" for a result without members."""
    members = document.get("members")
    if not members:
        return ""
    names: Sequence[str] = members["names"]
    sentence = f"{len(names)} {members['noun']}s: " + ", ".join(f"{n} = {name}" for n, name in enumerate(names, 1))
    content = (paragraphs([f"{sentence}."]), _dice_table(members), _volume_table(members))
    return section(TITLE, "\n".join((*content, f'<p class="quiet">{escape(EXPLAINED)}</p>')))


def _dice_table(members: Mapping[str, Any]) -> str:
    rows = members["structures"]
    pairs = [(one, other) for one, other, _ in rows[0]["dice"]] if rows else []
    shown = pairs if len(pairs) <= MOST_PAIRS else []
    head = ("Structure", "Mean Dice", "Lowest", *(f"{one + 1} and {other + 1}" for one, other in shown))
    return table(head, (_dice_cells(row, bool(shown)) for row in rows))


def _dice_cells(row: Mapping[str, Any], each: bool) -> list[str]:
    defined = [pair for pair in row["dice"] if pair[2] is not None]
    lowest = min(defined, key=lambda pair: pair[2], default=None)
    where = ABSENT if lowest is None else f"{number(lowest[2])} ({lowest[0] + 1} and {lowest[1] + 1})"
    return [escape(row["name"]), number(row["mean_dice"]), where, *(number(pair[2]) for pair in row["dice"] if each)]


def _volume_table(members: Mapping[str, Any]) -> str:
    head = ("Volume (ml)", *(str(n) for n in range(1, len(members["names"]) + 1)))
    rows = ([escape(row["name"]), *(number(value) for value in row["volumes_ml"])] for row in members["structures"])
    return table(head, rows)


def _pair_rows(members: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    names = members["names"]
    for row in members["structures"]:
        for one, other, value in row["dice"]:
            yield row["value"], row["name"], names[one], names[other], value


def _volume_rows(members: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    for row in members["structures"]:
        for name, value in zip(members["names"], row["volumes_ml"], strict=True):
            yield row["value"], row["name"], name, value


def _write_rows(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows((head, *rows))
