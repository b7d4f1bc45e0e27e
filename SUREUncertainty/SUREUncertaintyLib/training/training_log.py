"""The training log: one CSV row a logged step; a resumed run continues the same file."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


class TrainingLog:
    """Appends rows to ``log.csv``; rows after the step that a resumed run starts from are dropped first."""

    def __init__(self, path: Path, start_step: int) -> None:
        self.path = path
        self._rows = [row for row in _read(path) if int(row["step"]) <= start_step]
        self._write()

    def add(self, step: int, values: dict[str, float | str]) -> None:
        """Append one row, numbers and texts, and put the file on disk."""
        cells = {name: value if isinstance(value, str) else f"{value:.6g}" for name, value in values.items()}
        self._rows.append({"step": str(step), **cells})
        self._write()

    def _write(self) -> None:
        columns = list(dict.fromkeys(name for row in self._rows for name in row)) or ["step"]
        with self.path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns, restval="")
            writer.writeheader()
            writer.writerows(self._rows)


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        # a run that was killed while writing leaves half a row
        return [row for row in csv.DictReader(stream) if (row.get("step") or "").isdigit()]


def read_rows(path: Path) -> list[dict[str, float]]:
    """The numbers of a log, one dictionary a row, empty cells left out; nothing where there is no log yet."""
    return [{name: float(text) for name, text in row.items() if _is_number(text)} for row in _read(path)]


def curves_of(rows: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """What a chart draws: ``step``, ``loss`` as a share of the first one, and ``tuning_dice``; NaN where not measured.

    The share and a Dice fit the same axis, whatever the size of the loss.
    """
    missing = float("nan")
    first = abs(rows[0].get("loss", missing)) if rows else missing
    return {
        "step": [row.get("step", missing) for row in rows],
        "loss": [row.get("loss", missing) / first if first else missing for row in rows],
        "tuning_dice": [row.get("tuning_dice", missing) for row in rows],
    }


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True
