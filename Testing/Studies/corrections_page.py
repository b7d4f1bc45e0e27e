"""The table of docs/cohort.md that says what an order of corrections buys, from results/corrections.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from SUREUncertaintyLib.metrics.bootstrap import paired_bootstrap

RESULTS = Path(__file__).resolve().parent / "results" / "corrections.json"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "cohort.md"
BEGIN, END = "<!-- corrections table -->\n", "\n<!-- end of corrections table -->"
CHANCE = ("chance 1", "chance 2")
ORDERS = ("none", *CHANCE, "mean entropy", "need", "unlike", "need x unlike", "worklist")
WORDS = {
    "none": "none, the same steps",
    "chance": "ten at random, two draws",
    "mean entropy": "the ten with the highest mean entropy",
    "need": "the ten at the top of the worklist",
    "unlike": "the ten most unlike one another",
    "need x unlike": "the ten with the largest need x distance",
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
    first = document[f"{seeds[0]}/none"]["judged"]
    lines = [
        f"| Corrected | {' | '.join(f'Dice, seed {seed}' for seed in seeds)} | Mean | More than at random "
        "(95 % interval) | Dice of these before | Damaged among them |",
        f"| --- | {' | '.join('---:' for _ in seeds)} | ---: | ---: | ---: | ---: |",
    ]
    for name, words in WORDS.items():
        rows = [row for seed in seeds for row in _rows(document, seed, name)]
        dice = [float(np.mean(_dice(document, seed, name))) for seed in seeds]
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


def _rows(document: Mapping[str, Any], seed: str, name: str) -> list[Mapping[str, Any]]:
    """One a draw."""
    return [document[f"{seed}/{one}"] for one in (CHANCE if name == "chance" else (name,))]


def _dice(document: Mapping[str, Any], seed: str, name: str) -> NDArray[np.float64]:
    """Of every scan that is judged on, mean over draws."""
    table = [[one["dice"] for one in row["judged"]] for row in _rows(document, seed, name)]
    return np.mean(table, axis=0, dtype=np.float64)


def _difference(document: Mapping[str, Any], seeds: list[str], name: str) -> str:
    """Patients are drawn with replacement; what the seeds gave for one of them stays together."""
    if name == "chance":
        return ""
    own, chance = (np.concatenate([_dice(document, seed, one) for seed in seeds]) for one in (name, "chance"))
    groups = [one["group"] for seed in seeds for one in document[f"{seed}/{name}"]["judged"]]
    found = paired_bootstrap(own, chance, groups)
    return f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def _before(rows: list[Mapping[str, Any]]) -> str:
    values = [value for row in rows for value in row["dice_before"]]
    return f"{np.mean(values):.3f}" if values else ""


def _damaged(rows: list[Mapping[str, Any]]) -> str:
    damaged, count = sum(row["damaged"] for row in rows), sum(len(row["corrected"]) for row in rows)
    return f"{damaged} of {count}" if count else ""
