"""Scans and label maps from files: NRRD, NIfTI, MetaImage, PNG and TIFF slices, DICOM series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..core.checks import FORMATS, is_place, no_image, require_spacing
from ..core.errors import InputError
from ..core.resampling import from_itk
from ..core.safe_names import plain_text
from ..core.volume import LPS_TO_RAS, Grid, Volume
from . import scan_remarks as remarks
from .dicom import read_folder, read_series_of
from .dicom_header import is_dicom
from .headers import (
    check_header,
    check_numbers,
    check_streams,
    require_image_content,
    require_text_name,
    says_place,
    says_size,
    says_where,
)
from .locales import decimal_points
from .nifti_header import is_nifti, read_nifti_header, stored_voxels
from .nrrd_header import is_nrrd, read_nrrd_header
from .quiet_itk import quiet_itk
from .streams import incomplete

_SUFFIXES = (
    *(".nii.gz", ".nii", ".hdr.gz", ".hdr", ".img.gz", ".img", ".seg.nrrd", ".nrrd", ".nhdr", ".mha", ".mhd"),
    *(".png", ".tif", ".tiff"),
)
_ROUNDED = 1e-6
_PICTURES = (".png", ".tif", ".tiff")
_ENDS_EARLY = ("fread got only", "expected", "cannot be read", "not read completely", "unexpected end", "premature")


def read_volume(path: str | Path) -> Volume:
    """Read a scan: an image file, a folder that holds one DICOM series, or one file of a DICOM series.

    A 2D image gives one slice. Voxels keep the file's dtype (float64 from a DICOM rescale becomes float32).

    Raises:
        InputError: nothing is there, the file is damaged, or it is not one scalar 3D (or 2D) image.
    """
    path = Path(path)
    require_text_name(path)
    if not path.exists():
        raise InputError(f"The scan {path} does not exist. Check the path.")
    if not path.is_dir() and not path.is_file():
        raise InputError(f"The scan {path} is neither a file nor a folder (a pipe or a device). Choose a file.")
    with quiet_itk(), decimal_points():
        try:
            if path.is_dir():
                return read_folder(path)
            require_image_content(path)
            return read_series_of(path) if is_dicom(path) else _read_image(path)
        except PermissionError:
            raise InputError(f"The scan {path} may not be read. Ask for the right to read it, or copy it.") from None


def read_labels(path: str | Path) -> Volume:
    """Read a label map; whole numbers stored as floats are accepted. The result is uint8, uint16 or int32.

    Raises:
        InputError: as ``read_volume``, and for values that are no labels (fractions, below zero).
    """
    volume = read_volume(path)
    array = volume.array
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    whole = array.dtype.kind in "uib" or bool(np.isfinite(array).all() and np.array_equal(array, np.rint(array)))
    if not whole or low < 0 or high >= 2**31:
        raise InputError(
            f"The file {Path(path).name} is not a label map: whole numbers from 0 are expected, "
            f"but its values run from {low:g} to {high:g}. Choose the segmentation, not the scan."
        )
    dtype = np.uint8 if high < 2**8 else np.uint16 if high < 2**16 else np.int32
    return volume.with_array(array.astype(dtype, copy=False))


def read_channels(texts: Sequence[str]) -> dict[str, Volume]:
    """Read further images of one patient, each given as ``NAME=FILE``.

    Raises:
        InputError: a text without a name or a file, a name twice, or a file that cannot be read.
    """
    return {name: read_volume(path) for name, path in channel_files(texts).items()}


def channel_files(texts: Sequence[str]) -> dict[str, Path]:
    """The files of further images, each given as ``NAME=FILE``. Raises ``InputError`` as ``read_channels``."""
    found: dict[str, Path] = {}
    for text in texts:
        name, path = _name_and_file(text)
        if not name.strip() or not path.strip():
            raise InputError(f"--channel is '{text}'; expected NAME=FILE, such as T2=t2.nii.gz.")
        if name.strip() in found:
            raise InputError(f"The channel '{name.strip()}' is given twice.")
        found[name.strip()] = Path(path.strip()).expanduser()
    return found


def _name_and_file(text: str) -> tuple[str, str]:
    """At the first equals sign with a file behind it, as names such as ``DWI b=1000`` hold one; else the last, as the
    names of files hardly do."""
    pieces = text.split("=")
    splits = [("=".join(pieces[:n]), "=".join(pieces[n:])) for n in range(1, len(pieces))]
    there = [split for split in splits if split[1].strip() and Path(split[1].strip()).expanduser().exists()]
    return there[0] if there else splits[-1] if splits else (text, "")


def scan_name(path: Path) -> str:
    """The file's name without its image suffix."""
    suffix = next((s for s in _SUFFIXES if path.name.lower().endswith(s)), "")
    return path.name[: len(path.name) - len(suffix)] or path.name


def read_image_frames(path: Path) -> list[Volume]:
    """Every volume of a file that holds several over time; one volume of any other image file.

    Raises ``InputError`` as ``read_volume``.
    """
    with quiet_itk(), decimal_points():
        require_image_content(path)
        check_header(path)
        reader = _reader(path)
        try:
            reader.ReadImageInformation()
            count = count_frames(path, reader)
            if count == 1:
                return [_read_image(path)]
            _require_scalar(path, reader, count)
            check_streams(path)
            check_numbers(path)
            image = reader.Execute()
        except RuntimeError as error:
            raise _unreadable(path, str(error)) from None
        return [_volume_of(path, frame_of(image, number), number) for number in range(count)]


def count_frames(path: Path, reader: sitk.ImageFileReader) -> int:
    """How many volumes over time a file holds; its information was read. Numbers a voxel count in NRRD only, where the
    header says that they are a list or times."""
    size, components = reader.GetSize(), reader.GetNumberOfComponents()
    if len(size) == 4 and components == 1:
        return int(size[3])
    return components if len(size) == 3 and components > 1 and is_nrrd(path) and read_nrrd_header(path).over_time else 1


def frame_of(image: sitk.Image, number: int) -> sitk.Image:
    """One volume of a 4D image, or of an image with a number a voxel and frame."""
    if image.GetDimension() == 4:
        return image[:, :, :, number]
    return sitk.VectorIndexSelectionCast(image, number)


def _reader(path: Path) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    return reader


def _read_image(path: Path) -> Volume:
    check_header(path)
    reader = _reader(path)
    try:
        reader.ReadImageInformation()
        _require_scalar(path, reader)
        surplus = check_streams(path)
        check_numbers(path)
        image = reader.Execute()
    except RuntimeError as error:
        check_streams(path)  # where they are damaged the library's words are about something else
        rounded = _rounded_axes(path) if "orthonormal" in str(error).lower() else None
        if rounded is None:
            raise _unreadable(path, str(error)) from None
        return rounded
    volume = _volume_of(path, image[:, :, :, 0] if image.GetDimension() == 4 else image)
    row = volume.grid.shape[2] * volume.array.itemsize
    return volume if surplus < row else volume.with_remarks(remarks.MORE_BYTES.format(count=surplus))


def _volume_of(path: Path, image: sitk.Image, frame: int = 0) -> Volume:
    _require_geometry(path, image)
    volume = replace(from_itk(image, plain_text(scan_name(path))), placed=says_where(path))
    if volume.placed and not says_place(path):
        volume = volume.with_remarks(remarks.NO_PLACE)
    if not says_size(path):
        volume = volume.with_remarks(remarks.PICTURE if path.suffix.lower() in _PICTURES else remarks.NO_SPACING)
    return _as_nifti(volume, path, frame) if is_nifti(path) else volume


def _rounded_axes(path: Path) -> Volume | None:
    """A NIfTI file whose axes are right-angled but for rounding, which ITK refuses; None for every other file."""
    header = read_nifti_header(path) if is_nifti(path) else None
    usable = header is not None and header.forms.chosen is not None and header.forms.chosen.perpendicular
    if header is None or not usable or header.type is None or header.voxels != np.prod(header.shape[:3]):
        return None
    check_streams(path)
    check_numbers(path)
    array = stored_voxels(header)
    if header.is_scaled and (header.slope, header.intercept) != (1, 0):
        array = (array * header.slope + header.intercept).astype(np.float32)
    return _as_nifti(Volume(array, Grid(array.shape), plain_text(scan_name(path))), path)


def _as_nifti(volume: Volume, path: Path, frame: int = 0) -> Volume:
    """The scan at the place that the one rule chooses, with voxels as they are stored where nothing scales them."""
    header = read_nifti_header(path)
    if header is None:
        return volume
    shape = volume.grid.shape
    if sorted(n for n in header.shape[:3] if n > 1) != sorted(n for n in shape if n > 1):
        raise InputError(f"The file {path.name} is not what its header says it is. Export the scan again.")
    chosen = header.forms.chosen
    if chosen is not None:
        volume = replace(volume, grid=_grid_of(shape, chosen.matrix))
    if not header.is_scaled and (header.slope != 0 or header.intercept != 0) and header.type is not None:
        volume = volume.with_array(stored_voxels(header, frame).reshape(shape))
    return replace(volume, forms=header.forms).with_remarks(*header.forms.remark(shape))


def _grid_of(shape: tuple[int, int, int], ijk_to_ras: NDArray[np.float64]) -> Grid:
    matrix = LPS_TO_RAS @ ijk_to_ras
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    x, y, z = (float(value) for value in lengths)
    origin_x, origin_y, origin_z = (float(value) for value in matrix[:3, 3])
    cosines = matrix[:3, :3] / lengths
    if np.abs(cosines.T @ cosines - np.eye(3)).max() > _ROUNDED:  # the nearest axes that are exactly right-angled
        left, _, right = np.linalg.svd(cosines)
        cosines = left @ right
    return Grid(shape, (x, y, z), (origin_x, origin_y, origin_z), tuple(float(value) for value in cosines.ravel()))


def _require_scalar(path: Path, reader: sitk.ImageFileReader, frames: int = 1) -> None:
    size = reader.GetSize()
    if len(size) > 4 or (len(size) == 4 and size[3] != frames):
        raise InputError(
            f"The file {path.name} holds {int(np.prod(size[3:]))} volumes over time or of several kinds "
            f"({' x '.join(map(str, size))}). One 3D scan is expected here: save a single volume of it first, or "
            "measure all of them with 'sure segment'."
        )
    if reader.GetPixelID() in (sitk.sitkComplexFloat32, sitk.sitkComplexFloat64):
        raise InputError(f"The file {path.name} holds complex numbers. Save the magnitude image and choose that.")
    if reader.GetNumberOfComponents() not in (1, frames if len(size) == 3 else 1):
        raise InputError(
            f"The file {path.name} holds {reader.GetNumberOfComponents()} numbers a voxel (a colour picture, "
            "a vector field or overlapping segments). One grey value a voxel is expected: choose the scan itself."
        )


def _require_geometry(path: Path, image: sitk.Image) -> None:
    require_spacing(path, image.GetSpacing())
    dimension = image.GetDimension()
    cosines = np.reshape(image.GetDirection(), (dimension, dimension))
    if not np.isfinite(cosines).all() or not is_place(image.GetOrigin()):
        raise InputError(f"The file {path.name} does not say where the scan lies. Export the scan again.")
    if np.abs(cosines.T @ cosines - np.eye(dimension)).max() > 1e-3:
        raise _sheared(path)


def _sheared(path: Path) -> InputError:
    return InputError(
        f"The axes of {path.name} are not at right angles (gantry tilt or a sheared transform). "
        "Resample the scan to a regular grid first, for instance with Slicer's Resample Scalar Volume."
    )


def _unreadable(path: Path, reason: str) -> InputError:
    text = reason.lower()
    if "unable to determine imageio" in text:
        return no_image(path)
    if "spacing" in text or "space vector" in text:
        return InputError(
            f"The file {path.name} gives a voxel spacing that is zero or no number. "
            "Every spacing must be above zero: export the scan again."
        )
    if "orthonormal" in text:
        return _sheared(path)
    if any(phrase in text for phrase in _ENDS_EARLY):
        return incomplete(path)
    return InputError(
        f"The file {path.name} cannot be read: it is damaged, or of a kind of {FORMATS} that is not read here. "
        "Export the scan again, or load it in Slicer and save it as NRRD."
    )
