"""Codes for what DICOM objects of ours hold. DICOM has none for kinds of uncertainty, so these are our own (99SURE)."""

from __future__ import annotations

import re
from typing import Any

from ..core.errors import EngineError
from ..core.labels import Code

SCHEME = "99SURE"
NO_UNITS = Code("1", "UCUM", "no units")
CONSENSUS = Code("CONSENSUS", SCHEME, "Most frequent label of several outlines")
TISSUE = Code("85756007", "SCT", "Tissue")
QUANTITIES = {
    "vacuity": "Vacuity: lack of evidence, C/S",
    "entropy": "Predictive entropy, divided by ln C",
    "expected_entropy": "Mean entropy of the members, divided by ln C",
    "mutual_information": "Mutual information between samples or members",
    "fg_variance": "Variance of the foreground over samples",
    "class_variance": "Variance of the classes over samples",
    "variance": "Variance between samples",
}


def quantity_of(kind: str) -> Code:
    """The coded quantity of a kind of uncertainty, which lies in 0..1."""
    meaning = QUANTITIES.get(kind, f"Uncertainty ({kind})")
    return Code(code_value(kind), SCHEME, meaning[:64])


def code_value(kind: str) -> str:
    """A code value (at most 16 characters) for a kind of uncertainty."""
    return re.sub(r"[^A-Z0-9]+", "-", kind.upper()).strip("-")[:16] or "UNCERTAINTY"


def as_dicom(code: Code) -> Any:
    """The code as highdicom's coded concept."""
    from highdicom.sr import CodedConcept

    return CodedConcept(code.value, code.scheme, code.meaning[:64])


def label_text(text: str, length: int = 16) -> str:
    """A DICOM code string (CS): capitals, digits, space and underscore."""
    return re.sub(r"[^A-Z0-9 _]+", "_", text.upper())[:length].strip(" _") or "SURE"


def require_highdicom() -> None:
    """Raise ``EngineError`` with what to install where highdicom is missing."""
    try:
        import highdicom  # noqa: F401
    except ImportError as error:
        raise EngineError(
            "DICOM objects are written with highdicom, which is not installed. 3D Slicer 5.12 has it; for the command "
            "line: pip install 'sure-uncertainty[export]'."
        ) from error
