"""Segmentations of Slicer 5 (.seg.nrrd) from files: the label map and what its header says about the segments."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from ..core.errors import InputError
from ..core.labels import Code, Label
from ..core.volume import Volume
from .locales import decimal_points
from .reading import read_labels

_GREY = (0.5, 0.5, 0.5)


def read_segmentation(path: Path) -> tuple[Volume, tuple[Label, ...]]:
    """The label map of a .seg.nrrd and its segments, background left out.

    Raises:
        InputError: the file cannot be read, or its header describes no segments (as of a plain label map).
    """
    labels = read_labels(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    with decimal_points():
        reader.ReadImageInformation()
    header = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
    segments: list[Label] = []
    while f"Segment{len(segments)}_LabelValue" in header:
        segments.append(_label(header, f"Segment{len(segments)}_"))
    if not segments:
        raise InputError(
            f"The file {path.name} does not say which structures it holds. "
            "A segmentation that 'sure segment' or 3D Slicer wrote (.seg.nrrd) is expected."
        )
    return labels, tuple(segments)


def terminology_codes(entry: str) -> tuple[Code | None, Code | None, Code | None]:
    """Category, type and modifier of Slicer's terminology string; None for what it leaves open."""
    parts = [*entry.split("~"), "", "", "", ""]
    category, kind, modifier = (_code(part) for part in parts[1:4])
    return category, kind, modifier


def _label(header: dict[str, str], prefix: str) -> Label:
    tags = dict(tag.partition(":")[::2] for tag in header.get(f"{prefix}Tags", "").split("|"))
    color = tuple(float(part) for part in header.get(f"{prefix}Color", "").split())
    value = int(header[f"{prefix}LabelValue"])
    red, green, blue = color if len(color) == 3 else _GREY
    name = header.get(f"{prefix}Name", f"Segment {value}")
    return Label(value, name, (red, green, blue), *terminology_codes(tags.get("TerminologyEntry", "")))


def _code(text: str) -> Code | None:
    """Slicer writes scheme^value^meaning."""
    scheme, value, meaning = [*text.split("^"), "", "", ""][:3]
    return Code(value, scheme, meaning) if scheme and value else None
