"""What Slicer calls a segment: its ID and its terminology, in a .seg.nrrd and in a scene alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.labels import Code, Label

_CONTEXT = "Segmentation category and type - 3D Slicer General Anatomy list"
_ANATOMIC_CONTEXT = "Anatomic codes - DICOM master list"
_TISSUE = "SCT^85756007^Tissue"


def segment_id(label: Label) -> str:
    """The segment's ID in a .seg.nrrd and in Slicer's scene: its name in letters, digits and ``_``, and its value."""
    return f"{re.sub(r'[^0-9A-Za-z]+', '_', label.name).strip('_') or 'Segment'}_{label.value}"


def terminology_entry(label: Label) -> str:
    """Slicer's terminology string of a label; codes are scheme^value^meaning. "Tissue" where none is given."""
    category = _code(label.category) or _TISSUE
    kind = _code(label.type) or _TISSUE
    modifier = _code(label.modifier) or "^^"
    return f"{_CONTEXT}~{category}~{kind}~{modifier}~{_ANATOMIC_CONTEXT}~^^~^^"


def _code(code: Code | None) -> str:
    return "^".join(re.sub(r"[\^~|]", " ", part) for part in (code.scheme, code.value, code.meaning)) if code else ""
