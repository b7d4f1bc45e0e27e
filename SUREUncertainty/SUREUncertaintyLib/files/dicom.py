"""A DICOM series as one volume: slices sorted by their position in the patient, never by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.volume import Grid, Volume
from . import scan_remarks as remarks
from .dicom_elements import damaged, read_elements
from .dicom_folder import DicomFolder, find_in_folder, find_objects, is_directory, require_one_series, series_title
from .dicom_frames import has_frame_groups, read_frames
from .dicom_header import DicomObject, DicomSlice, read_header
from .dicom_stack import require_regular

_FILMS = {"US", "XA", "RF", "ES", "IVUS", "XC"}


def read_folder(folder: Path) -> Volume:
    """Read the one series in a folder, or in the folders below it. Raises ``InputError``: none, several, incomplete."""
    found = find_in_folder(folder)
    require_one_series(found)
    volume = read_slices(list(found.scans), folder.name)
    return volume if not found.others else volume.with_remarks(remarks.skipped(folder, found.others))


def read_series_of(path: Path) -> Volume:
    """Read the series that a file belongs to, from all files of its folder; of a DICOMDIR, what lies beside it.

    Raises ``InputError``, also for any damaged DICOM file beside it: it may be the last slice of this series.
    """
    if is_directory(path):
        return read_folder(path.parent)
    return read_slices(series_beside(path), path.parent.name)


def series_in(folder: Path) -> list[DicomSlice]:
    """The headers of the one series in a folder, in no order. Raises ``InputError`` as ``read_folder``."""
    found = find_in_folder(folder)
    require_one_series(found)
    return list(found.scans)


def series_beside(path: Path) -> list[DicomSlice]:
    """The headers of the series that a file belongs to, in no order. Raises ``InputError`` as ``read_series_of``."""
    header = read_header(path)
    if isinstance(header, DicomObject):
        kind = f"{header.kind}, {header.modality}" if header.modality else header.kind
        raise InputError(f"The DICOM file {path.name} holds no scan ({kind}). Choose a file or the folder of the scan.")
    beside: DicomFolder = find_objects(path.parent, but=path)
    return [header, *(other for other in beside.scans if other.series == header.series)]


def read_slices(slices: list[DicomSlice], name: str) -> Volume:
    """Read the voxels of one series; ``name`` where its header has no description. Raises ``InputError``."""
    first = slices[0]
    name = first.description or name
    if any(header.components > 1 for header in slices):
        raise InputError(f"The DICOM series {series_title(slices)} is in colour. A scan with grey values is expected.")
    if any(header.negative for header in slices):
        raise InputError(
            f"The DICOM series {series_title(slices)} is stored as a negative (MONOCHROME1), whose values "
            "programs read in two ways. Export it again as MONOCHROME2."
        )
    unread = next((header.unread for header in slices if header.unread), "")
    if unread:
        raise InputError(
            f"The DICOM series {series_title(slices)} {unread}. Convert it to single images or NIfTI with the "
            "scanner's or archive's own tools."
        )
    volume = _read_single(first, name) if len(slices) == 1 else _read_stack(slices, name)
    return volume.with_remarks(remarks.ON_DETECTOR) if any(header.on_detector for header in slices) else volume


def _read_stack(slices: list[DicomSlice], name: str) -> Volume:
    if any(header.size[2] > 1 for header in slices):
        raise InputError(
            f"The DICOM series {series_title(slices)} holds several volumes, one a file. Choose one of them "
            "and move it to a folder of its own."
        )
    ordered = in_order(slices)
    array, grid = sitk.GetArrayFromImage(_load(ordered)), stack_grid(ordered)
    if array.shape != grid.shape:
        raise damaged(slices[0].path)
    return Volume(array, grid, name, slices[0].modality, acquired=slices[0].acquired)


def _read_single(header: DicomSlice, name: str) -> Volume:
    if header.size[2] > 1 and header.modality in _FILMS:
        raise InputError(f"The DICOM file {header.path.name} is a film over time ({header.modality}), not a 3D scan.")
    if has_frame_groups(read_elements(header.path)):
        return _read_frames(header, name)
    if header.size[2] > 1:
        raise InputError(
            f"The DICOM file {header.path.name} holds {header.size[2]} images but does not say where each lies. "
            "Export the series again as single images or as an enhanced object, or save it in Slicer as NRRD."
        )
    _require_pixel_size([header])
    _require_scale([header])
    array = sitk.GetArrayFromImage(_load([header])).reshape(header.size[::-1])
    placed = header.oriented and header.position is not None
    volume = Volume(array, stack_grid([header]), name, header.modality, placed, acquired=header.acquired)
    return volume if header.thick else volume.with_remarks(remarks.NO_THICKNESS)


def _read_frames(header: DicomSlice, name: str) -> Volume:
    frames = read_frames(header)
    ordered = frames_in_order(frames)
    stored = {frame.rescale for frame in frames}
    image = _load([header], sitk.sitkFloat64 if len(stored) > 1 else None)
    array = sitk.GetArrayFromImage(image).reshape(header.size[::-1])
    if len(stored) > 1:
        array = _rescaled(array, frames)
    array = array[[frame.frame for frame in ordered]]
    return Volume(array, stack_grid(ordered), name, header.modality, acquired=header.acquired)


def frames_in_order(frames: Sequence[DicomSlice]) -> list[DicomSlice]:
    """The frames of one file as ``in_order`` has slices; one frame need not lie in a stack. Raises ``InputError``."""
    return in_order(list(frames)) if len(frames) > 1 else _placed(list(frames))


def in_order(slices: list[DicomSlice]) -> list[DicomSlice]:
    """Slices in order along the normal, after checking that they form one regular stack. Raises ``InputError``."""
    _placed(slices)
    first = slices[0]
    turned = max(float(np.abs(header.direction - first.direction).max()) for header in slices)
    spaced = max(float(np.abs(np.subtract(h.spacing[:2], first.spacing[:2])).max()) for h in slices)
    if turned > 1e-3 or spaced > 1e-3 * min(first.spacing[:2]) or any(h.size != first.size for h in slices):
        raise InputError(
            f"The slices of the DICOM series {series_title(slices)} differ in direction, size or pixel spacing "
            "(perhaps a localizer, or several stacks). One stack of parallel slices is expected: choose another series."
        )
    ordered = sorted(slices, key=lambda header: header.depth)
    require_regular(ordered)
    return ordered


def _placed(slices: list[DicomSlice]) -> list[DicomSlice]:
    if any(header.position is None or not header.oriented for header in slices):
        raise InputError(f"The DICOM series {series_title(slices)} does not say where its slices lie. Export it again.")
    _require_pixel_size(slices)
    _require_scale(slices)
    return slices


def _require_pixel_size(slices: list[DicomSlice]) -> None:
    if not all(header.sized for header in slices):
        raise InputError(
            f"The DICOM series {series_title(slices)} does not say how large its pixels are (PixelSpacing), so that "
            "no size could be measured. Export the series again from the archive."
        )


def _require_scale(slices: list[DicomSlice]) -> None:
    if not all(_can_be_scaled(*header.rescale) for header in slices):
        raise InputError(
            f"The DICOM series {series_title(slices)} scales its values by numbers that cannot be right (RescaleSlope "
            "is 0, or it or RescaleIntercept is no number or far too large). Export the series again from the archive."
        )


def _can_be_scaled(slope: float, intercept: float) -> bool:
    """Whether neighbouring stored values stay apart in float32 behind the scale."""
    return math.isfinite(slope) and math.isfinite(intercept) and abs(intercept) < abs(slope) * 2.0**24


def stack_grid(ordered: Sequence[DicomSlice]) -> Grid:
    """The grid of slices (or frames) that form one regular stack."""
    first, last = ordered[0], ordered[-1]
    step = (last.depth - first.depth) / (len(ordered) - 1) if len(ordered) > 1 else first.spacing[2]
    i, j, _ = first.size
    x, y, z = (0.0, 0.0, 0.0) if first.position is None else (float(v) for v in first.position)
    return Grid(
        shape=(len(ordered), j, i),
        spacing=(first.spacing[0], first.spacing[1], step),
        origin=(x, y, z),
        direction=tuple(float(v) for v in first.direction.ravel()),
    )


def _rescaled(array: NDArray[Any], frames: Sequence[DicomSlice]) -> NDArray[np.float32]:
    """Each frame scaled in its own way; the library scales all of them as the first."""
    slope, intercept = frames[0].rescale
    stored = (array - intercept) / slope
    whole = np.rint(stored)
    if np.abs(stored - whole).max() > 1e-3:
        raise InputError(
            f"The frames of the DICOM file {frames[0].path.name} are scaled each in their own way, which cannot be "
            "undone here. Load the file in Slicer and save the volume as NRRD."
        )
    scales = np.array([frame.rescale for frame in frames])[:, :, None, None]
    return np.asarray(whole * scales[:, 0] + scales[:, 1], np.float32)


def _load(ordered: Sequence[DicomSlice], kind: int | None = None) -> sitk.Image:
    """Voxels with rescale slope and intercept applied; float32 where slices are scaled each in their own way."""
    reader = sitk.ImageSeriesReader() if len(ordered) > 1 else sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    uneven = len({(header.rescale, header.pixel) for header in ordered}) > 1
    if kind is None and (uneven or ordered[0].pixel == sitk.sitkFloat64):
        kind = sitk.sitkFloat32
    if kind is not None:
        reader.SetOutputPixelType(kind)
    paths = [str(header.path) for header in ordered]
    try:
        if len(paths) == 1:
            reader.SetFileName(paths[0])
        else:
            reader.SetFileNames(paths)
        return reader.Execute()
    except RuntimeError:
        raise damaged(_first_damaged(ordered)) from None


def _first_damaged(slices: Sequence[DicomSlice]) -> Path:
    for header in slices:
        try:
            sitk.ReadImage(str(header.path), imageIO="GDCMImageIO")
        except RuntimeError:
            return header.path
    return slices[0].path
