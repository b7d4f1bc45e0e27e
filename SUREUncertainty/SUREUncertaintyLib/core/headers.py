"""What image files say in their headers and SimpleITK passes over in silence.

SimpleITK reads a NIfTI file that ends too early as if its lost voxels were zero, and turns a spacing of zero, below
zero or NaN into one of 1 mm or its absolute value. Each of these would give a wrong result without a word.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from pathlib import Path

from .errors import InputError

_NIFTI_HEADER = 348


def check_header(path: Path) -> None:
    """Raise ``InputError`` for a spacing that cannot be right or a file that is shorter than its header says."""
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        _check_nifti(path)
    elif name.endswith((".nrrd", ".nhdr")):
        _check_text_spacing(path, rb"^spacings:(.*)$")
    elif name.endswith((".mha", ".mhd")):
        _check_text_spacing(path, rb"^\s*ElementSpacing\s*=(.*)$")


def require_spacing(path: Path, spacing: tuple[float, ...]) -> None:
    """Raise ``InputError`` unless every spacing is a positive number of mm."""
    if not all(math.isfinite(value) and value > 0 for value in spacing):
        numbers = " x ".join(f"{value:g}" for value in spacing)
        raise InputError(
            f"The file {path.name} gives a voxel spacing of {numbers} mm, which is impossible. "
            "Every spacing must be above zero: export the scan again, or correct it in Slicer (Volumes module)."
        )


def truncated(path: Path) -> InputError:
    """The error for a file that ends too early."""
    return InputError(
        f"The file {path.name} is incomplete: it ends before its last voxel. Copy or export the scan again."
    )


def _check_text_spacing(path: Path, pattern: bytes) -> None:
    with path.open("rb") as file:
        head = file.read(16384).split(b"\n\n")[0]
    found = re.search(pattern, head, re.MULTILINE | re.IGNORECASE)
    try:
        require_spacing(path, tuple(float(part) for part in found[1].split()) if found else ())
    except ValueError:
        return  # not numbers: the reader itself says that the header is malformed


def _check_nifti(path: Path) -> None:
    header = _nifti_header(path)
    order = next((o for o in "<>" if len(header) == _NIFTI_HEADER and struct.unpack(o + "i", header[:4])[0] == 348), "")
    if not order:
        return  # NIfTI-2, Analyze or no NIfTI at all: left to the reader
    shape = struct.unpack(order + "8h", header[40:56])
    dimensions = min(max(shape[0], 0), 7)
    require_spacing(path, struct.unpack(order + "8f", header[76:108])[1 : 1 + min(dimensions, 3)])
    bits, offset = struct.unpack(order + "h", header[72:74])[0], struct.unpack(order + "f", header[108:112])[0]
    voxels = math.prod(max(n, 1) for n in shape[1 : 1 + dimensions])
    # a header whose voxels lie in a separate .img file ("ni1") is small by right
    if header[344:346] == b"n+" and _nifti_length(path, needed := int(offset) + voxels * bits // 8) < needed:
        raise truncated(path)


def _nifti_header(path: Path) -> bytes:
    try:
        with gzip.open(path) if _is_gzip(path) else path.open("rb") as file:
            return file.read(_NIFTI_HEADER)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise truncated(path) from None


def _nifti_length(path: Path, needed: int) -> int:
    """Bytes of the file once it is decompressed; a gzip trailer that agrees with ``needed`` saves counting them."""
    if not _is_gzip(path):
        return path.stat().st_size
    with path.open("rb") as file:
        file.seek(-4, 2)
        if struct.unpack("<I", file.read(4))[0] == needed % 2**32:
            return needed
    return _gzip_length(path)


def _gzip_length(path: Path) -> int:
    length = 0
    try:
        with gzip.open(path) as file:
            while chunk := file.read(1 << 22):
                length += len(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise truncated(path) from None
    return length


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
