"""How a result came about, as a text node that travels with the scene."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import vtk

from ..inference.result import SegmentationResult


def model_name(result: SegmentationResult) -> str:
    """Name of the model of a result, "" where its provenance names none."""
    return str(result.provenance.get("model", {}).get("name", ""))


def manifest_text(result: SegmentationResult) -> str:
    """Verdict, provenance, warnings and settings of a result as JSON."""
    document = {
        "status": result.verdict.status,
        "status_reasons": list(result.verdict.reasons),
        "provenance": result.provenance,
        "uncertainty": {"kind": result.uncertainty_kind, "threshold": result.threshold},
        "notices": [asdict(notice) for notice in result.notices],
        "difficulty": [case.to_json() for case in result.difficulty],
        "regions_of_interest": [asdict(roi) for roi in result.rois],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def fill_manifest(node: Any, result: SegmentationResult, undo: ExitStack) -> None:
    """Put the manifest into a text node."""
    undo.callback(node.SetText, node.GetText())
    node.SetEncoding(vtk.VTK_ENCODING_UTF_8)
    node.SetText(manifest_text(result))
