"""What image files say and SimpleITK passes over in silence, or cannot bear; each would give a wrong result.

A spacing of zero, below zero or NaN becomes one of 1 mm or its absolute value; for NIfTI see ``nifti_header``. A file
name that is no UTF-8 ends the whole process.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..core.checks import require_spacing
from ..core.errors import InputError
from .nifti_header import check_nifti, check_nifti_voxels, is_nifti, read_nifti_header


def check_header(path: Path) -> None:
    """Raise ``InputError`` for a spacing that cannot be right or a file that is shorter than its header says."""
    name = path.name.lower()
    if is_nifti(path):
        check_nifti(path)
    elif name.endswith((".nrrd", ".nhdr")):
        _check_text_spacing(path, rb"^spacings:(.*)$")
    elif name.endswith((".mha", ".mhd")):
        _check_text_spacing(path, rb"^\s*ElementSpacing\s*=(.*)$")


def check_voxels(path: Path) -> None:
    """Raise ``InputError`` for NaN or infinity that are lost on reading."""
    if is_nifti(path):
        check_nifti_voxels(path)


def says_where(path: Path) -> bool:
    """Whether the file says how the scan lies in the patient; only NIfTI files are looked into."""
    header = read_nifti_header(path) if is_nifti(path) else None
    return header is None or header.placed


def require_text_name(path: Path) -> None:
    """Raise ``InputError`` for a name that is no UTF-8: SimpleITK would end the process, a report could not say it."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        shown = str(path).encode("utf-8", "replace").decode()
        raise InputError(
            f"The name {shown} holds characters that are no valid text on this computer. "
            "Rename the file or folder, for instance with plain letters and digits."
        ) from None


def _check_text_spacing(path: Path, pattern: bytes) -> None:
    with path.open("rb") as file:
        head = file.read(16384).split(b"\n\n")[0]
    found = re.search(pattern, head, re.MULTILINE | re.IGNORECASE)
    try:
        require_spacing(path, tuple(float(part) for part in found[1].split()) if found else ())
    except ValueError:
        return  # not numbers: the reader itself says that the header is malformed
