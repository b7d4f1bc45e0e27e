"""The header of one DICOM file, as far as a stack of slices needs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..core.dates import day_of_dicom
from ..core.errors import InputError
from . import dicom_elements as tags
from .dicom_elements import Elements, damaged, looks_like_dicom, read_elements
from .headers import require_text_name

_SUFFIXES = (".dcm", ".dicom", ".ima")
_IMAGE_ROOT = "1.2.840.10008.5.1.4.1.1."
_NO_SCANS = {
    "11.": "presentation state",
    "66": "raw data",
    "66.1": "registration",
    "66.3": "registration",
    "66.2": "fiducials",
    "66.4": "segmentation",
    "66.5": "surface segmentation",
    "67": "real-world values",
    "88.": "report",
    "88.59": "key object selection",
    "104.": "document",
    "9.": "waveform such as an ECG",
    "481.2": "radiotherapy dose",
    "481.3": "radiotherapy structures",
    "481.": "radiotherapy object",
    "30": "parametric map",
    "4.2": "spectroscopy",
}
"""Storage classes (the end of their UID) whose objects are no scan, with what people call them."""

_DIRECTORY = "1.2.840.10008.1.3.10"
_NO_SCAN_MODALITIES = {
    "SEG": "segmentation",
    "RTSTRUCT": "radiotherapy structures",
    "RTPLAN": "radiotherapy object",
    "RTDOSE": "radiotherapy dose",
    "SR": "report",
    "PR": "presentation state",
    "KO": "key object selection",
    "REG": "registration",
    "DOC": "document",
    "FID": "fiducials",
    "RWV": "real-world values",
}
_DETECTOR, _IMAGER_SPACING, _NOMINAL_SPACING, _SLICE_THICKNESS = 0x00540022, 0x00181164, 0x00182010, 0x00180050
_DIRECTORY_RECORDS, _LOOKUP_TABLE, _STORED_BITS, _HIGH_BIT = 0x00041220, 0x00283000, 0x00280101, 0x00280102
_CONCATENATION, _PARTS = 0x00209161, 0x00209163
_KINDS = {
    0x00080008: "image type",
    0x00180081: "echo time",
    0x00180082: "inversion time",
    0x00181314: "flip angle",
    0x00200100: "time point",
    0x00200012: "acquisition",
}
_B_VALUE = 0x00189087
_RIGHT_ANGLE = 1e-2
"""Cosine up to which written axes count as perpendicular; files round them to few digits."""


@dataclass(frozen=True, eq=False)
class DicomSlice:
    """One file's header, or that of one of its frames. ``direction`` is 3 x 3, columns are i, j and their normal; LPS.

    Attributes:
        position: LPS mm of the first pixel's centre; None where the file does not say it.
        oriented: whether the file says how the slice lies; otherwise ``direction`` means nothing.
        spacing: mm along i, j, k; ``sized``: whether the file says the first two, ``thick`` the third.
        on_detector: whether the first two of ``spacing`` are those of the detector, of which the patient's are unknown.
        negative: whether low values are bright (MONOCHROME1); GDCM turns such values around.
        unread: in words, what of the file would be read wrongly; empty for nothing.
        rescale: slope and intercept from stored to real values.
        kind: what tells images at the same position apart, as (name, value).
        frame: number in its file, from 0.
        acquired: day of the acquisition, else of the series or study, as YYYY-MM-DD; empty where none is told.
    """

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
    rescale: tuple[float, float]
    oriented: bool = True
    sized: bool = True
    thick: bool = True
    on_detector: bool = False
    negative: bool = False
    unread: str = ""
    kind: tuple[tuple[str, str], ...] = ()
    frame: int = 0
    acquired: str = ""

    @property
    def depth(self) -> float:
        """Position along the slice normal, mm."""
        assert self.position is not None
        return float(self.direction[:, 2] @ self.position)


@dataclass(frozen=True)
class DicomObject:
    """A DICOM file that is no scan, with what people call such an object."""

    path: Path
    kind: str
    modality: str


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM, by how it begins (with a preamble or without) or by its suffix."""
    with path.open("rb") as file:
        return looks_like_dicom(file.read(140)) or path.suffix.lower() in _SUFFIXES


def read_header(path: Path) -> DicomSlice | DicomObject:
    """The header of a scan's file, or what else the file is. Raises ``InputError`` for a damaged file."""
    require_text_name(path)
    elements = read_elements(path)
    if not elements.has_voxels and not {tags.CLASS, _DIRECTORY_RECORDS} & set(elements.values):
        raise damaged(path)
    other = _other_kind(elements)
    if other:
        return DicomObject(path, other, elements.text(tags.MODALITY))
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        raise damaged(path) from None
    i, j, k = (*reader.GetSize(), 1)[:3]
    if (i, j) != (elements.count(tags.COLUMNS), elements.count(tags.ROWS)):
        raise damaged(path)
    _require_as_many_bytes(path, elements, k)
    return _header(path, elements, reader, (i, j, k))


def _require_as_many_bytes(path: Path, elements: Elements, frames: int) -> None:
    """Refuse voxels that are more or fewer than the header says; less than a row or column more is padding."""
    if elements.voxel_bytes is None:
        return
    rows, columns = elements.count(tags.ROWS), elements.count(tags.COLUMNS)
    pixel = max(1, elements.count(tags.SAMPLES)) * elements.count(tags.BITS) // 8
    needed = rows * columns * pixel * frames
    if not needed <= elements.voxel_bytes < needed + max(min(rows, columns) * pixel, 2):
        raise InputError(
            f"The DICOM file {path.name} has {elements.voxel_bytes} bytes of voxels, but {needed} by its header "
            "(rows, columns, bits, frames). Copy or export the series again."
        )


def direction_of(cosines: tuple[float, ...]) -> NDArray[np.float64] | None:
    """3 x 3 columns i, j and their normal from ImageOrientationPatient; None where its six numbers are no axes."""
    if len(cosines) != 6:
        return None
    row, column = np.array(cosines[:3]), np.array(cosines[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(length - 1) for length in lengths) > _RIGHT_ANGLE or abs(row @ column) > _RIGHT_ANGLE:
        return None
    row = row / lengths[0]
    column = column - row * (row @ column)
    column = column / np.linalg.norm(column)
    return np.column_stack([row, column, np.cross(row, column)])


def spacing_of(*found: tuple[float, ...]) -> tuple[float, float] | None:
    """mm along i and j from the first pair that is one, of those given as (between rows, between columns)."""
    pair = next((pair for pair in found if len(pair) == 2 and min(pair) > 0), None)
    return None if pair is None else (pair[1], pair[0])


def _header(path: Path, elements: Elements, reader: sitk.ImageFileReader, size: tuple[int, int, int]) -> DicomSlice:
    detector = next(iter(elements.items(_DETECTOR)), elements)
    position = elements.numbers(tags.POSITION) or detector.numbers(tags.POSITION)
    direction = direction_of(elements.numbers(tags.ORIENTATION) or detector.numbers(tags.ORIENTATION))
    spacing = spacing_of(*(elements.numbers(tag) for tag in (tags.PIXEL_SPACING, _IMAGER_SPACING, _NOMINAL_SPACING)))
    thickness = (*elements.numbers(tags.BETWEEN_SLICES), *elements.numbers(_SLICE_THICKNESS))
    i, j = spacing or (1.0, 1.0)
    return DicomSlice(
        path=path,
        series=elements.text(tags.SERIES),
        number=elements.text(tags.NUMBER),
        description=elements.text(tags.DESCRIPTION),
        modality=elements.text(tags.MODALITY),
        position=np.array(position) if len(position) == 3 else None,
        direction=np.eye(3) if direction is None else direction,
        spacing=(i, j, float((*reader.GetSpacing(), 1.0, 1.0)[2])),
        size=size,
        components=max(reader.GetNumberOfComponents(), elements.count(tags.SAMPLES)),
        pixel=reader.GetPixelID(),
        rescale=rescale_of(elements),
        oriented=direction is not None,
        sized=spacing is not None,
        thick=any(value > 0 for value in thickness),
        on_detector=spacing is not None and spacing_of(elements.numbers(tags.PIXEL_SPACING)) is None,
        negative=elements.text(tags.PHOTOMETRIC) == "MONOCHROME1",
        unread=_unread(elements),
        kind=(*((name, elements.text(tag)) for tag, name in _KINDS.items()), ("b-value", _b_value(elements))),
        acquired=acquired_on(elements),
    )


def acquired_on(elements: Elements) -> str:
    """The first of the dates that is one, as YYYY-MM-DD; empty where there is none."""
    dates = (tags.ACQUISITION_DATE, tags.ACQUISITION_DATETIME, tags.SERIES_DATE, tags.STUDY_DATE)
    return next(filter(None, (day_of_dicom(elements.text(tag)) for tag in dates)), "")


def _b_value(elements: Elements) -> str:
    return f"{elements.binary(_B_VALUE, 'd'):g}" if _B_VALUE in elements else ""


def _unread(elements: Elements) -> str:
    """What GDCM would pass over in silence: values behind a table, bits in odd places, slices side by side, a part."""
    if _LOOKUP_TABLE in elements:
        return "gives its real values by a table (ModalityLUTSequence), which is not applied here"
    if _HIGH_BIT in elements and elements.count(_HIGH_BIT) != elements.count(_STORED_BITS) - 1:
        return "stores its values in unusual bits (HighBit is not BitsStored - 1)"
    if "MOSAIC" in elements.text(next(iter(_KINDS))).split("\\"):
        return "is a mosaic, which holds the slices of a volume side by side in one picture"
    in_parts = _CONCATENATION in elements and elements.count(_PARTS) != 1
    return "is one part of an object that was split into several files (a concatenation)" if in_parts else ""


def rescale_of(elements: Elements) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where the file gives none, NaN where it gives something else than a number."""
    slope, intercept = (_first(elements, tag, usual) for tag, usual in ((tags.SLOPE, 1.0), (tags.INTERCEPT, 0.0)))
    return slope, intercept


def _first(elements: Elements, tag: int, usual: float) -> float:
    found = elements.numbers(tag)
    return found[0] if found else float("nan") if elements.text(tag) else usual


def _other_kind(elements: Elements) -> str:
    """What an object is that is no scan; empty for a scan."""
    storage = elements.text(tags.CLASS)
    ending = storage.removeprefix(_IMAGE_ROOT) if storage.startswith(_IMAGE_ROOT) else ""
    known = [key for key in _NO_SCANS if ending == key or (key[-1] == "." and ending.startswith(key))]
    if known:
        return _NO_SCANS[max(known, key=len)]
    if storage == _DIRECTORY or _DIRECTORY_RECORDS in elements:
        return "directory of the medium"
    modality = elements.text(tags.MODALITY)
    if modality in _NO_SCAN_MODALITIES:
        return _NO_SCAN_MODALITIES[modality]
    return "" if elements.has_voxels else "object without an image"
