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

NO_PLACE = (
    "The file does not say where in the patient the scan lies; its first voxel is taken for the origin, so that "
    "regions in mm and other files of the patient may not fit."
)
MORE_BYTES = (
    "The file holds {count} bytes more than its header says, so that its sizes or the type of its voxels may be wrong. "
    "Look at the pictures before you trust the result."
)
NO_SPACING = "The file does not say how large its voxels are; 1 mm is taken, so that no mm and no ml can be trusted."
ON_DETECTOR = (
    "The file gives the size of pixels on the detector or film only; those in the patient are smaller, so that no "
    "mm and no ml can be trusted."
)
PICTURE = "A picture does not say how large its pixels are in the patient, so that no mm and no ml can be trusted."
WITHOUT_PIXEL_SIZE = (NO_SPACING, ON_DETECTOR, PICTURE)
"""Remarks after which no length holds."""


def tells_pixel_size(remarks: Sequence[str]) -> bool:
    """Whether lengths in the planes of a scan hold, by what its reader remarked."""
    return not set(WITHOUT_PIXEL_SIZE) & set(remarks)


def tells_voxel_size(remarks: Sequence[str]) -> bool:
    """Whether volumes hold, by what the scan's reader remarked."""
    return tells_pixel_size(remarks) and NO_THICKNESS not in remarks


def skipped(folder: Path, objects: Sequence[DicomObject]) -> str:
    """The remark about DICOM objects beside the scan."""
    kinds = Counter(item.kind for item in objects)
    names = ", ".join(f"{count} x {kind}" if count > 1 else kind for kind, count in sorted(kinds.items()))
    files = ", ".join(sorted(item.path.name for item in objects)[:3]) + (" and others" if len(objects) > 3 else "")
    return f"Skipped in the folder {folder.name}, because they are no scans: {names} ({files})."
