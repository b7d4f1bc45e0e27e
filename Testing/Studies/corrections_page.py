"""The table of docs/cohort.md that says what an order of corrections buys, from results/corrections.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from SUREUncertaintyLib.metrics.bootstrap import paired_bootstrap

RESULTS = Path(__file__).resolve().parent / "results" / "corrections.json"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "cohort.md"
BEGIN, END = "<!-- corrections table -->\n", "\n<!-- end of corrections table -->"
WORDS = {
    "none": "none, the same steps",
    "chance": "ten at random",
    "mean entropy": "the ten with the highest mean entropy",
    "worklist": "the ten that the worklist proposes",
}


def write_table(document: Mapping[str, Any]) -> None:
    """Put the table between its marks."""
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), document), encoding="utf-8")


def with_table(page: str, document: Mapping[str, Any]) -> str:
    """The page with the table as the results say it."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + corrections_table(document) + END + rest.split(END)[1]


def corrections_table(document: Mapping[str, Any]) -> str:
    """One line an order: means over seeds, and the difference from chance over patients of all seeds."""
    seeds = sorted({key.split("/")[0] for key in document})
    first = document[f"{seeds[0]}/chance"]["judged"]
    lines = [
        f"| Corrected | {' | '.join(f'Dice, seed {seed}' for seed in seeds)} | Mean | More than at random "
        "(95 % interval) | Dice of these before | Damaged among them |",
        f"| --- | {' | '.join('---:' for _ in seeds)} | ---: | ---: | ---: | ---: |",
    ]
    for name, words in WORDS.items():
        rows = [document[f"{seed}/{name}"] for seed in seeds]
        dice = [_mean(row) for row in rows]
        lines.append(
            f"| {words} | {' | '.join(f'{value:.3f}' for value in dice)} | {np.mean(dice):.3f} | "
            f"{_difference(document, seeds, name)} | {_before(rows)} | {_damaged(rows)} |"
        )
    note = (
        f"Made by `Testing/Studies/correction_study.py`: mean Dice on {len(first)} tuning scans of "
        f"{len({one['group'] for one in first})} patients, half of them damaged; patients drawn "
        f"{'once' if len(seeds) == 1 else f'{len(seeds)} times'}."
    )
    return "\n".join([*lines, "", note])


def _mean(row: Mapping[str, Any]) -> float:
    return float(np.mean([one["dice"] for one in row["judged"]]))


def _difference(document: Mapping[str, Any], seeds: list[str], name: str) -> str:
    """Patients are drawn with replacement; what the seeds gave for one of them stays together."""
    if name == "chance":
        return ""
    pairs = [
        (one["dice"], other["dice"], one["group"])
        for seed in seeds
        for one, other in zip(document[f"{seed}/{name}"]["judged"], document[f"{seed}/chance"]["judged"], strict=True)
    ]
    own, chance, groups = zip(*pairs, strict=True)
    found = paired_bootstrap(own, chance, groups)
    return f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def _before(rows: list[Mapping[str, Any]]) -> str:
    values = [value for row in rows for value in row["dice_before"]]
    return f"{np.mean(values):.3f}" if values else ""


def _damaged(rows: list[Mapping[str, Any]]) -> str:
    counts = [row["damaged"] for row in rows]
    return f"{np.mean(counts):.1f} of 10" if any(row["corrected"] for row in rows) else ""
