"""How a result came about, as a text node that travels with the scene."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from vtkmodules.vtkCommonCore import VTK_ENCODING_UTF_8

from ..analysis.agreement import Members
from ..analysis.quality.sentences import forecast_sentence
from ..core.dataclass_json import to_json
from ..inference.result import SegmentationResult
from ..inference.sampling.samples_result import Sampling

MAP_NAMES, CONTOUR_NAMES = "map_names", "contour_names"
"""Entries of the manifest's ``sampling`` and ``members``: what the numbered nodes of their maps are called."""
MEMBER_MAPS = 100
"""Numbers of the maps of members begin here, behind those of samples."""


def model_name(result: SegmentationResult) -> str:
    """Name of the model of a result, "" where its provenance names none."""
    return str(result.provenance.get("model", {}).get("name", ""))


def manifest_text(result: SegmentationResult) -> str:
    """Verdict, provenance, warnings and settings of a result as JSON."""
    document = {
        "status": result.verdict.status,
        "status_reasons": list(result.verdict.reasons),
        "provenance": to_json(result.provenance),
        "uncertainty": {"kind": result.uncertainty_kind, "threshold": result.threshold},
        "notices": to_json(result.notices),
        "difficulty": [{**to_json(case), "sentence": case.sentence} for case in result.difficulty],
        "wholes": to_json(result.wholes),
        "asymmetry": to_json(result.asymmetries),
        "measures": to_json(result.measures),
        "quality": [{**to_json(one), "sentence": forecast_sentence(one)} for one in result.quality],
        "members": None if result.members is None else _members(result.members),
        "regions_of_interest": to_json(result.rois),
        "sampling": None if result.sampling is None else _sampling(result.sampling),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def _members(members: Members) -> dict[str, Any]:
    """All but the voxels of the maps, which have nodes; their names in the order of these."""
    return {**to_json(replace(members, maps={})), MAP_NAMES: list(members.maps)}


def _sampling(sampling: Sampling) -> dict[str, Any]:
    """All but the voxels, which have nodes; maps and contours by name in the order of these."""
    rest = to_json(replace(sampling, maps={}, levels=(), bands={}, samples=()))
    return {**rest, MAP_NAMES: list(sampling.maps), CONTOUR_NAMES: list(sampling.bands)}


def fill_manifest(node: Any, result: SegmentationResult, undo: ExitStack) -> None:
    """Put the manifest into a text node."""
    undo.callback(node.SetText, node.GetText())
    node.SetEncoding(VTK_ENCODING_UTF_8)
    node.SetText(manifest_text(result))
