"""Scans and label maps from files: NRRD, NIfTI, MetaImage, PNG and TIFF slices, DICOM series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..core.checks import require_spacing
from ..core.errors import InputError
from ..core.resampling import from_itk
from ..core.volume import Volume
from .dicom import read_folder, read_series_of
from .dicom_header import is_dicom
from .headers import check_header, check_voxels, require_text_name, says_where
from .nifti_header import truncated

_SUFFIXES = (
    *(".nii.gz", ".nii", ".hdr.gz", ".hdr", ".img.gz", ".img", ".seg.nrrd", ".nrrd", ".nhdr", ".mha", ".mhd"),
    *(".png", ".tif", ".tiff"),
)
_FORMATS = "NRRD, NIfTI, MetaImage or DICOM"
_ENDS_EARLY = ("fread got only", "expected", "cannot be read", "not read completely", "unexpected end", "premature")


def read_volume(path: Path) -> Volume:
    """Read a scan: an image file, a folder that holds one DICOM series, or one file of a DICOM series.

    A 2D image gives one slice. Voxels keep the file's dtype (float64 from a DICOM rescale becomes float32).

    Raises:
        InputError: nothing is there, the file is damaged, or it is not one scalar 3D (or 2D) image.
    """
    path = Path(path)
    require_text_name(path)
    if not path.exists():
        raise InputError(f"The scan {path} does not exist. Check the path.")
    with _quiet_itk():
        try:
            if path.is_dir():
                return read_folder(path)
            return read_series_of(path) if is_dicom(path) else _read_image(path)
        except PermissionError:
            raise InputError(f"The scan {path} may not be read. Ask for the right to read it, or copy it.") from None


def read_labels(path: Path) -> Volume:
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
    found: dict[str, Volume] = {}
    for text in texts:
        name, _, path = text.partition("=")
        if not name.strip() or not path.strip():
            raise InputError(f"--channel is '{text}'; expected NAME=FILE, such as T2=t2.nii.gz.")
        if name.strip() in found:
            raise InputError(f"The channel '{name.strip()}' is given twice.")
        found[name.strip()] = read_volume(Path(path.strip()))
    return found


def scan_name(path: Path) -> str:
    """The file's name without its image suffix."""
    suffix = next((s for s in _SUFFIXES if path.name.lower().endswith(s)), "")
    return path.name[: len(path.name) - len(suffix)] or path.name


def _read_image(path: Path) -> Volume:
    check_header(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        _require_scalar(path, reader)
        check_voxels(path)
        image = reader.Execute()
    except RuntimeError as error:
        raise _unreadable(path, str(error)) from None
    if image.GetDimension() == 4:
        image = image[:, :, :, 0]
    _require_geometry(path, image)
    return replace(from_itk(image, scan_name(path)), modality="", placed=says_where(path))


def _require_scalar(path: Path, reader: sitk.ImageFileReader) -> None:
    size = reader.GetSize()
    if len(size) > 4 or (len(size) == 4 and size[3] > 1):
        raise InputError(
            f"The file {path.name} holds {int(np.prod(size[3:]))} volumes over time or of several kinds "
            f"({' x '.join(map(str, size))}). One 3D scan is expected: save a single volume of it first."
        )
    if reader.GetPixelID() in (sitk.sitkComplexFloat32, sitk.sitkComplexFloat64):
        raise InputError(f"The file {path.name} holds complex numbers. Save the magnitude image and choose that.")
    if reader.GetNumberOfComponents() > 1:
        raise InputError(
            f"The file {path.name} holds {reader.GetNumberOfComponents()} numbers a voxel (a colour picture, "
            "a vector field or overlapping segments). One grey value a voxel is expected: choose the scan itself."
        )


def _require_geometry(path: Path, image: sitk.Image) -> None:
    require_spacing(path, image.GetSpacing())
    dimension = image.GetDimension()
    cosines = np.reshape(image.GetDirection(), (dimension, dimension))
    if not np.isfinite([*image.GetOrigin(), *cosines.ravel()]).all():
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
        return InputError(
            f"The file {path.name} is not an image that can be read, or it is damaged. Expected is {_FORMATS}."
        )
    if "spacing" in text or "space vector" in text:
        return InputError(
            f"The file {path.name} gives a voxel spacing that is zero or no number. "
            "Every spacing must be above zero: export the scan again."
        )
    if "orthonormal" in text:
        return _sheared(path)
    if any(phrase in text for phrase in _ENDS_EARLY):
        return truncated(path)
    last = reason.strip().splitlines()[-1].strip()
    return InputError(f"The file {path.name} cannot be read ({last}). Expected is {_FORMATS}: export the scan again.")


@contextmanager
def _quiet_itk() -> Iterator[None]:
    """Keep ITK's console warnings away; what matters in them is raised as an error."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
