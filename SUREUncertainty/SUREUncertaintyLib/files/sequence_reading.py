"""Scans over time from files: 4D NIfTI, NRRD and MetaImage, and cine DICOM; and whatever a path holds."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import InputError
from ..core.safe_names import plain_text
from ..core.volume import Volume
from ..core.volume_sequence import VolumeSequence
from .dicom_cine import cine_slices, read_cine
from .dicom_folder import find_in_folder, find_objects
from .dicom_header import is_dicom
from .headers import require_text_name
from .locales import decimal_points
from .nifti_header import is_nifti, read_nifti_header
from .quiet_itk import quiet_itk
from .reading import read_image_frames, read_volume, scan_name

ONE_VOLUME = "The scan {path} is one volume. A scan over time is expected: a 4D file, or the folder of a cine series."


def read_scan(path: str | Path) -> Volume | VolumeSequence:
    """Read whatever a path holds: one volume as ``read_volume``, or a scan over time.

    Raises:
        InputError: as ``read_volume``, and for frames that do not belong together.
    """
    path = Path(path)
    require_text_name(path)
    if path.is_dir() or (path.is_file() and is_dicom(path)):
        return _read_dicom(path)
    if not path.is_file():
        return read_volume(path)  # which says what is wrong
    frames = read_image_frames(path)
    if len(frames) == 1:
        return frames[0]
    return VolumeSequence(tuple(frames), plain_text(scan_name(path)), _times(path, len(frames)))


def read_sequence(path: str | Path) -> VolumeSequence:
    """Read a scan over time. Raises ``InputError`` as ``read_scan``, and where there is one volume only."""
    found = read_scan(path)
    if isinstance(found, VolumeSequence):
        return found
    raise InputError(ONE_VOLUME.format(path=path))


def _read_dicom(path: Path) -> Volume | VolumeSequence:
    folder = path if path.is_dir() else path.parent
    with quiet_itk(), decimal_points():
        found = find_in_folder(folder) if path.is_dir() else find_objects(folder)
        slices = cine_slices(found)
        if not slices:
            return read_volume(path)
        frames, times = read_cine(slices, folder.name)
    return VolumeSequence(tuple(frames), frames[0].name, times)


def _times(path: Path, count: int) -> tuple[float, ...]:
    header = read_nifti_header(path) if is_nifti(path) else None
    step = header.time_step_ms if header is not None else 0.0
    return tuple(step * number for number in range(count)) if step else ()
