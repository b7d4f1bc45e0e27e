"""The header of one DICOM file, as far as a stack of slices needs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..core.errors import InputError
from .headers import require_text_name

_SUFFIXES = (".dcm", ".dicom", ".ima")
_NO_IMAGE_CLASSES = (b".11.", b".66", b".67", b".88.", b".104.", b".481.3", b".481.5", b".481.8")
_IMAGE_ROOT = b"1.2.840.10008.5.1.4.1.1"


@dataclass(frozen=True, eq=False)
class DicomSlice:
    """One file's header. ``direction`` is 3 x 3, columns are the axes i, j and their normal; mm, LPS."""

    path: Path
    series: str
    number: str
    description: str
    modality: str
    position: NDArray[np.float64] | None
    direction: NDArray[np.float64]
    spacing: tuple[float, float, float]
    size: tuple[int, int, int]
    components: int
    pixel: int
    rescale: str

    @property
    def depth(self) -> float:
        """Position along the slice normal, mm."""
        assert self.position is not None
        return float(self.direction[:, 2] @ self.position)


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM, by its preamble or, for files without one, its suffix."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM" or path.suffix.lower() in _SUFFIXES


def read_header(path: Path) -> DicomSlice | None:
    """The header of an image file, None for other DICOM objects. Raises ``InputError`` for a damaged file."""
    require_text_name(path)
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        if _is_other_object(path):
            return None
        raise damaged(path) from None
    tags = {key: _tag(reader, key) for key in ("0020|000e", "0020|0011", "0008|103e", "0008|0060", "0020|0032")}
    position = [float(v) for v in tags["0020|0032"].split("\\") if v]
    cosines = np.reshape(reader.GetDirection(), (3, 3)) if reader.GetDimension() == 3 else np.eye(3)
    x, y, z = (*reader.GetSpacing(), 1.0)[:3]
    i, j, k = (*reader.GetSize(), 1)[:3]
    return DicomSlice(
        path=path,
        series=tags["0020|000e"],
        number=tags["0020|0011"],
        description=tags["0008|103e"],
        modality=tags["0008|0060"],
        position=np.array(position) if len(position) == 3 else None,
        direction=cosines,
        spacing=(x, y, z),
        size=(i, j, k),
        components=reader.GetNumberOfComponents(),
        pixel=reader.GetPixelID(),
        rescale=_tag(reader, "0028|1053") + "/" + _tag(reader, "0028|1052"),
    )


def _tag(reader: sitk.ImageFileReader, key: str) -> str:
    text = reader.GetMetaData(key) if reader.HasMetaDataKey(key) else ""
    return text.encode("utf-8", "replace").decode("utf-8", "replace").strip(" \0")


def _is_other_object(path: Path) -> bool:
    """Whether the file's storage class is one without voxels (report, plan, presentation state, registration)."""
    with path.open("rb") as file:
        _, found, rest = file.read(4096).partition(_IMAGE_ROOT)
    return bool(found) and rest.startswith(_NO_IMAGE_CLASSES)


def damaged(path: Path) -> InputError:
    """The error for a file that is broken or ends too early."""
    return InputError(
        f"The DICOM file {path.name} is damaged or incomplete and cannot be read. Copy or export the series again."
    )
