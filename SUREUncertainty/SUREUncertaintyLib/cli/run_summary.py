"""What a person sees at the end of a run: a table, the warnings, and where things lie."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from ..analysis.agreement import agreement_sentences
from ..analysis.in_samples import absent_words
from ..analysis.wholes import Asymmetry, WholeRow, whole_sentences
from ..core.dataclass_json import from_json
from ..core.rounding import decimals
from ..core.wording import VERDICT_MEANINGS, VERDICT_NAMES
from ..report.boxes import box_sentences

WIDTH = 120
"""Characters a line where the output is no terminal."""


def print_summary(document: Mapping[str, Any], output: Path, as_json: bool = False) -> None:
    """Print the content of ``report.json``: as a table with the warnings and paths, or as it is."""
    if as_json:
        typer.echo(json.dumps(document, indent=2))  # ASCII: readable whatever encoding the pipe has
        return
    _print_verdict(document)
    _print_table(document)
    for line in _wholes(document):
        typer.echo(line)
    for line in (*agreement_sentences(document.get("members")), *box_sentences(document)):
        typer.echo(line)
    for notice in document["notices"]:
        if notice["text"] not in document["status_reasons"]:
            typer.echo(f"! {notice['text']}")
    typer.echo(_where(document, output))


def _print_verdict(document: Mapping[str, Any]) -> None:
    """The verdict stands first, before any number."""
    status = document["status"]
    typer.echo(f"{VERDICT_NAMES[status].upper()}. {VERDICT_MEANINGS[status]}")
    for quality in document.get("quality", ()):
        if not quality["reason"]:
            typer.echo(quality["sentence"])
    for reason in document["status_reasons"]:
        typer.echo(f"! {reason}")


def _print_table(document: Mapping[str, Any]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("Structure")
    for name in ("Predicted Dice", "Volume (ml)", "Range (ml)", "Uncertain", "Mean uncertainty"):
        table.add_column(name, justify="right")
    for row in document["structures"]:
        table.add_row(*_cells(row))
    # names of regions are the user's: square brackets in them are no markup
    Console(width=None if sys.stdout.isatty() else WIDTH, markup=False, emoji=False).print(table)


def _wholes(document: Mapping[str, Any]) -> tuple[str, ...]:
    rows = from_json(tuple[WholeRow, ...], document.get("wholes", ()))
    return whole_sentences(rows, from_json(tuple[Asymmetry, ...], document.get("asymmetry", ())))


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = row["volume_low_ml"], row["volume_high_ml"]
    if not row["voxels"]:
        most = "" if high is None or not row["samples_with"] else f"up to {decimals(high)}"
        return (row["name"], "", absent_words(row["samples"], row["samples_with"]), most, "", "")
    return (
        row["name"],
        _interval(row, "predicted_dice"),
        decimals(row["volume_ml"]),
        "" if low is None else f"{decimals(low)} - {decimals(high)}",
        f"{row['share_over_threshold']:.0%}",
        decimals(row["mean_uncertainty"]),
    )


def _interval(row: Mapping[str, Any], name: str) -> str:
    """A score with its interval; empty without one."""
    value, low, high = (row.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    return "" if value is None else f"{decimals(value)} ({decimals(low)} - {decimals(high)})"


def _where(document: Mapping[str, Any], output: Path) -> str:
    """One line for each kind of result that was written."""
    files = document["files"]
    lines = {"Results": output}
    if "report.html" in files:
        lines["Report"] = output / "report.html"
    if any(name.startswith("pictures/") for name in files):
        lines["Pictures"] = output / "pictures"
    if "scene.mrb" in files:
        lines["Scene for 3D Slicer"] = output / "scene.mrb"
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {path}" for name, path in lines.items())
