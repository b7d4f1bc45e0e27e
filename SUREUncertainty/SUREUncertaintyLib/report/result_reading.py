"""A result from the folder that a run wrote, with the scan that it belongs to; samples stay on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..analysis.difficulty_reference import CaseDifficulty
from ..analysis.quality.forecast import PredictedQuality
from ..analysis.quality.run_measures import RunMeasures
from ..analysis.rows import Notice, StructureRow, UncertainRegion
from ..core.dataclass_json import from_json
from ..core.errors import InputError
from ..core.roi import Roi
from ..core.volume import Volume
from ..files.checksum import voxel_fingerprint
from ..files.reading import read_volume
from ..files.segment_reading import read_segmentation
from ..inference.result import SegmentationResult
from .run_record import FILE


def read_result(folder: Path, image: Volume) -> SegmentationResult:
    """The result in a folder.

    Raises:
        InputError: it is no such folder, a file of it is damaged, or the scan is another one than it was made from.
    """
    document = _document(folder)
    if document["voxel_fingerprint"] != voxel_fingerprint(image.array):
        raise InputError(
            f"The scan {image.name} is not the one that the result in {folder.name} was made from: its voxels have "
            "changed since. Run it again."
        )
    labels, label_set = read_segmentation(folder / "segmentation.seg.nrrd")
    return SegmentationResult(
        image=image,
        labels=labels,
        uncertainty=read_volume(folder / "uncertainty.nrrd"),
        entropy=read_volume(folder / "entropy.nrrd"),
        label_set=label_set,
        rois=tuple(_roi(entry) for entry in document["rois"]),
        structures=from_json(tuple[StructureRow, ...], document["structures"]),
        regions=from_json(tuple[UncertainRegion, ...], document["regions"]),
        notices=from_json(tuple[Notice, ...], document["notices"]),
        uncertainty_kind=document["uncertainty"]["kind"],
        threshold=document["uncertainty"]["threshold"],
        difficulty=_difficulty(document.get("difficulty", ())),
        measures=from_json(tuple[RunMeasures, ...], document.get("measures", ())),
        quality=from_json(tuple[PredictedQuality, ...], document.get("quality", ())),
        provenance={name: document[name] for name in PROVENANCE if name in document},
    )


def _difficulty(entries: Sequence[Mapping[str, Any]]) -> tuple[CaseDifficulty, ...]:
    """Of every region; a scan that cannot be compared is harder than none that is known."""
    counted = [{**entry, "harder_than": entry["harder_than"] or 0} for entry in entries]
    return from_json(tuple[CaseDifficulty, ...], counted)


PROVENANCE = ("versions", "model", "engine", "device", "threads", "estimator", "passes", "seed", "geometry", "options")
"""Entries of ``report.json`` that say how the result came about."""


def _document(folder: Path) -> dict[str, Any]:
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
        document["voxel_fingerprint"], document["uncertainty"]["threshold"]
    except FileNotFoundError:
        raise InputError(f"The folder {folder} holds no result: there is no {FILE} in it.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"The file {folder / FILE} is damaged. Run the segmentation again.") from None
    return dict(document)


def _roi(entry: Mapping[str, Any]) -> Roi:
    return Roi(entry["name"], tuple(entry["low_ras_mm"]), tuple(entry["high_ras_mm"]))
