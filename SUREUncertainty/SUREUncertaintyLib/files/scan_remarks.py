"""What there is to say about a scan as it was read: facts that the file leaves open, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .dicom_header import DicomObject

NO_THICKNESS = (
    "The file does not say how thick its slice is; 1 mm is taken, so that volumes in ml mean nothing but areas do."
)

NO_SPACING = "The file does not say how large its voxels are; 1 mm is taken, so that no mm and no ml can be trusted."
PICTURE = "A picture does not say how large its pixels are in the patient, so that no mm and no ml can be trusted."


def skipped(folder: Path, objects: Sequence[DicomObject]) -> str:
    """The remark about DICOM objects beside the scan."""
    kinds = Counter(item.kind for item in objects)
    names = ", ".join(f"{count} x {kind}" if count > 1 else kind for kind, count in sorted(kinds.items()))
    files = ", ".join(sorted(item.path.name for item in objects)[:3]) + (" and others" if len(objects) > 3 else "")
    return f"Skipped in the folder {folder.name}, because they are no scans: {names} ({files})."
