"""What image files say and SimpleITK passes over in silence, or cannot bear; each would give a wrong result.

See ``nifti_header``, ``nrrd_header`` and ``metaimage_header``. A file name that is no UTF-8 ends the whole process.
"""

from __future__ import annotations

from pathlib import Path

from ..core.errors import InputError
from .metaimage_header import check_metaimage, check_metaimage_stream, is_metaimage, read_metaimage_header
from .nifti_header import check_nifti, check_nifti_numbers, check_nifti_stream, is_nifti, read_nifti_header
from .nrrd_header import check_nrrd, check_nrrd_stream, is_nrrd, read_nrrd_header

_GZIP = b"\x1f\x8b"
_LONGEST_NAME = 255
"""Bytes of one name, on every usual file system."""

_PACKERS = {
    b"bzh": "bzip2",
    b"\xfd7zxz\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"rar!": "RAR",
}
"""First bytes, in lower case, and the program that packed the file."""


def check_header(path: Path) -> None:
    """Raise ``InputError`` for a geometry that cannot be right or a file that is shorter than its header says."""
    if is_nifti(path):
        check_nifti(path)
    elif is_nrrd(path):
        check_nrrd(path)
    elif is_metaimage(path):
        check_metaimage(path)


def check_streams(path: Path) -> int:
    """Bytes behind the last voxel, which are told of in NIfTI.

    Raises ``InputError`` for compressed voxels that are damaged or end early, and in NRRD and MetaImage for more voxels
    than the header says.
    """
    if is_nifti(path):
        return check_nifti_stream(path)
    if is_nrrd(path):
        check_nrrd_stream(path)
    elif is_metaimage(path):
        check_metaimage_stream(path)
    return 0


def check_numbers(path: Path) -> None:
    """Raise ``InputError`` for NaN or infinity that are lost on reading."""
    if is_nifti(path):
        check_nifti_numbers(path)


def require_image_content(path: Path) -> None:
    """Raise ``InputError`` for a file that is plainly something else than its name says."""
    if path.suffix.lower() in (".mgz", ".mgh"):
        raise InputError(
            f"The file {path.name} is in FreeSurfer's format, which is not read here. Convert it to NIfTI, for "
            f"instance with mri_convert {path.name} {path.stem}.nii.gz."
        )
    with path.open("rb") as file:
        head = file.read(512).lstrip().lower()
    if head.startswith(_GZIP) and not path.name.lower().endswith(".gz"):
        suffix = path.suffix or "image"
        raise InputError(
            f"The file {path.name} is a gzip file named {suffix}. Rename it to {path.name}.gz, or unpack it first."
        )
    if head.startswith(_GZIP) and not is_nifti(path):
        raise InputError(f"The file {path.name} is packed with gzip, as only NIfTI files may be. Unpack it first.")
    packer = next((name for start, name in _PACKERS.items() if head.startswith(start)), "")
    if packer:
        raise InputError(f"The file {path.name} is packed with {packer}. Unpack it and choose the scan in it.")
    if head.startswith((b"pk\x03\x04", b"pk\x05\x06")):
        raise InputError(f"The file {path.name} is a ZIP archive. Unpack it and choose the scan in it.")
    if head.startswith((b"<!doctype html", b"<html")):
        raise InputError(
            f"The file {path.name} is a web page, perhaps that of a failed download. Download the scan again."
        )


def says_where(path: Path) -> bool:
    """Whether the file says how the scan lies in the patient; pictures never do."""
    if is_nifti(path):
        header = read_nifti_header(path)
        return header is None or header.placed
    if is_nrrd(path):
        return read_nrrd_header(path).placed
    return is_metaimage(path) and read_metaimage_header(path).placed


def says_place(path: Path) -> bool:
    """Whether the file says where in the patient its first voxel lies."""
    if is_nrrd(path):
        return read_nrrd_header(path).has_origin
    return not is_metaimage(path) or read_metaimage_header(path).has_origin


def says_size(path: Path) -> bool:
    """Whether the file says how large voxels are; pictures say at most how they are to be printed."""
    if is_nrrd(path):
        return read_nrrd_header(path).sized
    if is_metaimage(path):
        return read_metaimage_header(path).sized
    return is_nifti(path)


def require_text_name(path: Path) -> None:
    """Raise ``InputError`` for a name that is no UTF-8, which ends the process in SimpleITK, or too long a one."""
    try:
        longest = max((len(part.encode("utf-8")) for part in path.parts), default=0)
    except UnicodeEncodeError:
        shown = str(path).encode("utf-8", "replace").decode()
        raise InputError(
            f"The name {shown} holds characters that are no valid text on this computer. "
            "Rename the file or folder, for instance with plain letters and digits."
        ) from None
    if longest > _LONGEST_NAME:
        raise InputError(f"The path {str(path)[:60]}... holds a name that is longer than names can be. Check the path.")
