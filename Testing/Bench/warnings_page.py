"""docs/warnings.md from Testing/Bench/results/warnings.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INTRODUCTION = """# Warnings and the verdict

Every result carries a verdict: **usable**, **check** or **do not use**. It is decided by the warnings, and each warning
has to select: it may fire on few good results, and has to fire on poor ones or on scans that the model does not know.
The tables say how often each one fires, for the model `{model}`. They come from
`Testing/Bench/warnings_table.py`. The rules and their limits were chosen while looking at tuning scans, damaged copies
of them and some of the foreign scans, so only the validation table is blind.

"Damaged" are copies of the same scans, each under every other kind of damage of `sure robustness`, in strengths 0.3,
0.6 and 1 in turn: *good* where the mean Dice stays at 0.8 or more, *poor* below 0.6, *between* the rest. "Another
source" are T1 scans of heads from other scanners (three patients with multiple sclerosis, and the MNI152 template);
nobody outlined them, and on some of them the model fails visibly. "Foreign" are T2 and FLAIR scans, hearts, abdomens,
boxes without a hippocampus, a phantom, and half a head without a box.

The warning `hounsfield` is for CTs. Strong noise on scans with large grey values makes some as low as air on CT, too;
no scanner does.

A rule marked *(given up)* was one of an earlier version: it fires on good results as well, so it warns no more.
"""
ORDER = ("intact", "damaged, good", "damaged, between", "damaged, poor", "another source", "foreign")
TITLES = {"tuning": "Tuning scans, and scans of other sources", "validation": "Validation scans (scored once)"}


def warnings_page(document: Mapping[str, Any]) -> str:
    """The whole page."""
    parts = [INTRODUCTION.format(model=document["model"])]
    parts += [_section(title, document[name]) for name, title in TITLES.items() if name in document]
    return "\n".join(parts)


def _section(title: str, part: Mapping[str, Any]) -> str:
    groups = [group for group in ORDER if group in part["scans"]]
    counts = part["scans"]
    head = ["", *(f"{group} ({counts[group]})" for group in groups)]
    verdicts = {f"**{status.replace('_', ' ')}**": row for status, row in part["verdicts"].items()}
    lines = [f"## {title}", "", _line(head), _line(["---", *["---:"] * len(groups)])]
    for name, row in {**verdicts, **part["fired"]}.items():
        lines.append(_line([name, *(f"{row[group] / counts[group]:.0%}" for group in groups)]))
    return "\n".join([*lines, ""])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
