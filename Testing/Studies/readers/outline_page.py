"""The table of outlines that could be the answer, in ``docs/hierarchical.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

OUTLINE = Path(__file__).resolve().parents[2] / "Bench" / "results" / "nodule-outline.json"
COLUMNS = {"dice_majority": ("Dice, majority", 3), "brier": ("Brier score", 5), "log_loss": ("Log loss", 5)}


def outline_rows(path: Path) -> Iterator[str]:
    """A row an outline: scores, differences from the first one, and outlines that are missing or too many."""
    if not path.is_file():
        yield "Not measured yet."
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    marked, slices = found["marked"], found["slices"]
    titles = " | ".join(title for title, _ in COLUMNS.values())
    yield f"| Outline at one half of | {titles} | Dice minus the first | Missing | Too many |"
    yield f"| --- |{' --- |' * (len(COLUMNS) + 3)}"
    for number, (name, row) in enumerate(found["outlines"].items()):
        cells = [f"{row['means'][metric]:.{digits}f}" for metric, (_, digits) in COLUMNS.items()]
        difference = "" if number == 0 else _difference(row["differences"]["dice_majority"])
        ends = f"{row['missed']} of {marked} | {row['added']} of {slices - marked}"
        yield f"| {name} | {' | '.join(cells)} | {difference} | {ends} |"


def _difference(numbers: tuple[float, float, float]) -> str:
    """Bold where the interval excludes 0."""
    mean, low, high = numbers
    words = f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"
    return f"**{words}**" if low > 0 or high < 0 else words
