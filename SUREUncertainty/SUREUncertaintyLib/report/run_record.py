"""``report.json``: everything about a run that a machine, or a person a year later, may ask."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..analysis.quality.sentences import forecast_sentence
from ..core.dataclass_json import to_json
from ..core.roi import Roi
from ..core.wording import DISCLAIMER
from ..files.checksum import file_sha256, voxel_fingerprint
from ..inference.result import SegmentationResult
from .result_tables import region_record, structure_record
from .sample_files import describe_sampling

SCHEMA = "sure-report/1"
FILE = "report.json"


def describe_result(result: SegmentationResult) -> dict[str, Any]:
    """The report of a result without its files: provenance, regions, tables, every notice."""
    return {
        "schema": SCHEMA,
        "status": result.verdict.status,
        "status_reasons": list(result.verdict.reasons),
        "disclaimer": DISCLAIMER,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "image": result.image.name,
        "acquired": result.image.acquired or None,
        "voxel_fingerprint": voxel_fingerprint(result.image.array),
        **({} if result.image.forms is None else {"nifti_forms": result.image.forms.to_json()}),
        **to_json(result.provenance),
        "uncertainty": {"kind": result.uncertainty_kind, "threshold": result.threshold},
        "labels": to_json(result.label_set),
        "rois": [_roi(roi) for roi in result.rois],
        "notices": to_json(result.notices),
        "quality": [{**to_json(one), "sentence": forecast_sentence(one)} for one in result.quality],
        "measures": to_json(result.measures),
        "structures": [structure_record(row) for row in result.structures],
        "wholes": [structure_record(row) for row in result.wholes],
        "asymmetry": [structure_record(row) for row in result.asymmetries],
        "regions": [region_record(row) for row in result.regions],
        **({"difficulty": [case.to_json() for case in result.difficulty]} if result.difficulty else {}),
        **({} if result.sampling is None else {"samples": describe_sampling(result.sampling)}),
        **({} if result.members is None else {"members": result.members.to_json()}),
    }


def write_document(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write ``report.json`` with the SHA-256 of every other file in the folder.

    Returns:
        The document as written.
    """
    complete = document | {"files": checksums(folder)}
    text = json.dumps(complete, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")
    return complete


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by its path inside the folder, ``report.json`` left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != FILE)
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


def _roi(roi: Roi) -> dict[str, Any]:
    return {"name": roi.name, "low_ras_mm": list(roi.low), "high_ras_mm": list(roi.high)}
