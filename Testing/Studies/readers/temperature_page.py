"""The table of temperatures of samples in ``docs/hierarchical.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

COLUMNS = {
    "brier": ("Brier score", 5),
    "log_loss": ("Log loss", 5),
    "ncc": ("NCC", 3),
    "ncc_variance": ("NCC, map against readers' variance", 3),
    "rater_ece": ("Calibration error", 4),
    "auroc_disagreement": ("AUROC, disagreement", 4),
    "dice_majority": ("Dice, majority", 3),
}


def temperature_rows(path: Path) -> Iterator[str]:
    """A row a temperature; the chosen one is bold, with its differences from 1 below."""
    if not path.is_file():
        yield "Not measured yet."
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    yield f"| Temperature | {' | '.join(title for title, _ in COLUMNS.values())} | Slices without an outline |"
    yield f"| --- |{' --- |' * (len(COLUMNS) + 1)}"
    for temperature, row in found["temperatures"].items():
        name = f"**{temperature}**" if float(temperature) == found["chosen"] else temperature
        cells = [f"{row['means'][metric]:.{digits}f}" for metric, (_, digits) in COLUMNS.items()]
        yield f"| {name} | {' | '.join(cells)} | {row['empty']} of {found['slices']} |"
    chosen = f"{found['chosen']:g}"
    yield f"| *{chosen} minus 1* | {' | '.join(_differences(found['temperatures'][chosen]))} | |"


def _differences(row: Mapping[str, Any]) -> Iterator[str]:
    """Bold where the interval excludes 0."""
    for metric, (_, digits) in COLUMNS.items():
        mean, low, high = row["differences"][metric]
        words = f"{mean:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"
        yield f"**{words}**" if low > 0 or high < 0 else words
