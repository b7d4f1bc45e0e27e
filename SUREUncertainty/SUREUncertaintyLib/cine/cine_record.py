"""``cine.json`` and ``curve.csv``: the numbers of a scan over time."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..analysis.ejection_fraction import CavityVolume, Ejection
from ..core.plain_json import plain
from ..core.wording import DISCLAIMER
from ..files.output_errors import output_error
from .cine_result import CineResult, FrameMeasure

SCHEMA = "sure-cine/1"
FILE, CURVE = "cine.json", "curve.csv"
COLUMNS = ("frame", "time_ms", "volume_ml", "volume_low_ml", "volume_high_ml", "status", "reasons")


def describe_cine(result: CineResult) -> dict[str, Any]:
    """The content of ``cine.json``; frames are counted from 1, as people do."""
    ed, es = result.phases
    document = {
        "schema": SCHEMA,
        "disclaimer": DISCLAIMER,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "image": result.sequence.name,
        "model": result.end_diastole.provenance.get("model", {}),
        "structure": result.structure.name,
        "frames": [frame_record(frame) for frame in result.frames],
        "end_diastole": ed + 1,
        "end_systole": es + 1,
        "ejection": None if result.ejection is None else ejection_record(result.ejection),
        "why_no_ejection_fraction": result.why_none,
        "below_usable": [frame.number + 1 for frame in result.frames if not frame.is_usable],
    }
    return dict(plain(document))


def frame_record(frame: FrameMeasure) -> dict[str, Any]:
    """One row of the curve; the range is that of the outline with the end slices."""
    low, high = frame.volume.whole_range
    values = (frame.number + 1, frame.time_ms, frame.volume.volume, low, high)
    return dict(zip(COLUMNS, (*values, frame.verdict.status, list(frame.verdict.reasons)), strict=True))


def ejection_record(found: Ejection) -> dict[str, Any]:
    """Volumes in ml with their ranges; the fraction with its interval (90 %) in 0..1."""
    return {
        **_volume("end_diastolic_volume", found.end_diastolic),
        **_volume("end_systolic_volume", found.end_systolic),
        "stroke_volume_ml": found.stroke_volume,
        "ejection_fraction": found.fraction,
        "ejection_fraction_low": found.low,
        "ejection_fraction_high": found.high,
    }


def _volume(name: str, volume: CavityVolume) -> dict[str, float]:
    low, high = volume.whole_range
    return {f"{name}_ml": volume.volume, f"{name}_low_ml": low, f"{name}_high_ml": high}


def add_record(document: Mapping[str, Any] | None, folder: Path) -> None:
    """Both files beside what was written already; nothing for a result of one volume. Raises ``OutputError``."""
    if document is None:
        return
    try:
        write_record(document, folder)
    except OSError as error:
        raise output_error(error, folder) from error


def write_record(document: Mapping[str, Any], folder: Path) -> None:
    """Write both files."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")
    with (folder / CURVE).open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(COLUMNS)
        for frame in document["frames"]:
            rows.writerow([_cell(frame[name]) for name in COLUMNS])


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else round(value, 4) if isinstance(value, float) else value
