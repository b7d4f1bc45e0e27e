"""Two results folders into a folder about what changed: ``follow-up.json``, ``follow-up.csv`` and ``report.html``."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.safe_names import table_cell
from ..files.writing import OutputFolder
from .chart import WIDE, draw_sizes
from .compare import Settings, compare_results, drawn_sizes
from .page import write_page
from .scan_result import ScanResult, read_scan_result

DOCUMENT, TABLE = "follow-up.json", "follow-up.csv"


def follow_up(before: Path, after: Path, output: Path, settings: Settings, overwrite: bool = False) -> dict[str, Any]:
    """Compare the results of two scans, the earlier one first; returns the content of ``follow-up.json``.

    Raises:
        InputError: a folder holds no result with samples, or the two cannot be compared.
        OutputError: the folder cannot be written.
    """
    results = {"before": read_scan_result(before), "after": read_scan_result(after)}
    document = compare_results(results["before"], results["after"], settings)
    write_follow_up(document, results, output, overwrite)
    return document


def write_follow_up(
    document: Mapping[str, Any], results: Mapping[str, ScanResult], output: Path, overwrite: bool = False
) -> None:
    """Write the document as files and a page.

    Args:
        results: what the document was made of, as ``before`` and ``after``.

    Raises:
        OutputError: the folder cannot be written.
    """
    with OutputFolder(output, overwrite) as folder:
        write_files(document, results, folder)


def write_files(document: Mapping[str, Any], results: Mapping[str, ScanResult], folder: Path) -> None:
    """The files of a follow-up into a folder that is there; arguments as for ``write_follow_up``."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / DOCUMENT).write_text(text + "\n", encoding="utf-8")
    _write_table(document, folder / TABLE)
    write_page(document, charts_of(document, results), folder)


def charts_of(document: Mapping[str, Any], results: Mapping[str, ScanResult], width: float = WIDE) -> dict[str, bytes]:
    """A PNG a structure by its name, ``width`` inches wide: the sizes of the samples of both scans."""
    unit = document["unit"]
    charts = {}
    for row in document["structures"]:
        drawn = {side: drawn_sizes(result, row["name"], unit == "ml") for side, result in results.items()}
        charts[row["name"]] = draw_sizes(row, drawn, unit, width)
    return charts


def _write_table(document: Mapping[str, Any], path: Path) -> None:
    """One line a structure; ends of ranges that are infinite, and what is not defined, are empty."""
    records = [{"unit": document["unit"], **_flat(row)} for row in document["structures"]]
    columns = list(dict.fromkeys(name for record in records for name in record))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows({name: table_cell(value) for name, value in record.items()} for record in records)


def _flat(entry: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in entry.items():
        whole = f"{prefix}{name}"
        found |= _flat(value, f"{whole}_") if isinstance(value, Mapping) else {whole.removesuffix("_value"): value}
    return found
