"""A result between two processes: its maps as .npy files in the private folder, the rest as JSON."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..analysis.agreement import Members
from ..analysis.rows import Notice, StructureRow, UncertainRegion
from ..core.errors import InputError
from ..core.labels import Code, Label
from ..core.volume import Volume
from ..inference.result import SegmentationResult
from .protocol import roi_from_json, roi_to_json

Row = TypeVar("Row", StructureRow, UncertainRegion, Notice)
MEMBER_MAP = "members-"
"""Begins the names of maps that several members add."""

MAPS = ("labels", "uncertainty", "entropy")


def write_array(array: NDArray[Any], folder: Path, name: str) -> str:
    """Save an array (never pickled) in the private folder and give its file's name."""
    np.save(folder / name, array, allow_pickle=False)
    return name


def read_array(folder: Path, name: str) -> NDArray[Any]:
    """Read an array of the private folder.

    Raises:
        InputError: the name is not one of a .npy file directly inside the folder, or the file is damaged.
    """
    if Path(name).name != name or not name.endswith(".npy"):
        raise InputError(f"'{name}' is not the name of a .npy file in the shared folder.")
    try:
        return np.asarray(np.load(folder / name, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"The array {name} cannot be read: {error}") from error


def write_result(result: SegmentationResult, folder: Path, stem: str) -> dict[str, Any]:
    """Save the maps as ``STEM-labels.npy`` ... and describe the whole result as JSON."""
    arrays = {name: getattr(result, name).array for name in MAPS}
    if result.probabilities is not None:
        arrays["probabilities"] = result.probabilities
    if result.members is not None:
        arrays |= {f"{MEMBER_MAP}{name}": volume.array for name, volume in result.members.maps.items()}
    return {
        "files": {name: write_array(array, folder, f"{stem}-{name}.npy") for name, array in arrays.items()},
        "label_set": [asdict(label) for label in result.label_set],
        "rois": [roi_to_json(roi) for roi in result.rois],
        "structures": [asdict(row) for row in result.structures],
        "regions": [asdict(row) for row in result.regions],
        "notices": [asdict(row) for row in result.notices],
        "members": None if result.members is None else result.members.to_json(),
        "uncertainty_kind": result.uncertainty_kind,
        "threshold": result.threshold,
        "provenance": result.provenance,
    }


def read_result(document: dict[str, Any], folder: Path, image: Volume) -> SegmentationResult:
    """The result that ``write_result`` described, on the grid of ``image``; its files are removed.

    Raises:
        InputError: a file is missing or damaged.
    """
    files: dict[str, str] = document["files"]
    arrays = {name: read_array(folder, file) for name, file in files.items()}
    for file in files.values():
        (folder / file).unlink(missing_ok=True)
    return SegmentationResult(
        image=image,
        labels=image.with_array(arrays["labels"], "segmentation"),
        uncertainty=image.with_array(arrays["uncertainty"], "uncertainty"),
        entropy=image.with_array(arrays["entropy"], "entropy"),
        label_set=tuple(_label(entry) for entry in document["label_set"]),
        rois=tuple(roi_from_json(roi) for roi in document["rois"]),
        structures=tuple(_row(StructureRow, entry) for entry in document["structures"]),
        regions=tuple(_row(UncertainRegion, entry) for entry in document["regions"]),
        notices=tuple(_row(Notice, entry) for entry in document["notices"]),
        probabilities=arrays.get("probabilities"),
        members=_members(document, arrays, image),
        uncertainty_kind=str(document["uncertainty_kind"]),
        threshold=float(document["threshold"]),
        provenance=document["provenance"],
    )


def _members(document: dict[str, Any], arrays: dict[str, NDArray[Any]], image: Volume) -> Members | None:
    if document["members"] is None:
        return None
    names = [name.removeprefix(MEMBER_MAP) for name in arrays if name.startswith(MEMBER_MAP)]
    maps = {name: image.with_array(arrays[f"{MEMBER_MAP}{name}"], name) for name in names}
    return Members.from_json(document["members"], maps)


def _row(kind: type[Row], entry: dict[str, Any]) -> Row:
    """A table row; null stands for NaN."""
    values = {field.name: _value(entry[field.name]) for field in fields(kind)}
    return kind(**values)


def _value(value: Any) -> Any:
    if value is None:
        return float("nan")
    return tuple(value) if isinstance(value, list) else value


def _label(entry: dict[str, Any]) -> Label:
    codes = {key: Code(**entry[key]) for key in ("category", "type", "modifier") if entry.get(key)}
    return Label(int(entry["value"]), str(entry["name"]), tuple(entry["color"]), **codes)
