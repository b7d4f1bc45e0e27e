"""What image files say and SimpleITK passes over in silence, or cannot bear.

SimpleITK reads a NIfTI file that ends too early as if its lost voxels were zero, its NaN and infinite voxels as zero
too, and turns a spacing of zero, below zero or NaN into one of 1 mm or its absolute value. Each of these would give a
wrong result without a word. A file name that is no UTF-8 ends the whole process.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from typing import cast

import numpy as np

from .checks import unusable_voxels
from .errors import InputError

_NIFTI_HEADER = 348
_NIFTI_FLOATS = {16: "f4", 64: "f8"}
_CHUNK = 1 << 20


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


def check_voxels(path: Path) -> None:
    """Raise ``InputError`` when a single-file NIfTI of floats holds NaN or infinity, which are lost on reading."""
    header = _nifti_header(path) if path.name.lower().endswith((".nii", ".nii.gz")) else None
    if header is None or header.floats is None or not header.single:
        return
    bad, left = 0, header.voxels
    with _opened(path) as file:
        file.seek(header.offset)
        while left and (block := file.read(min(left, _CHUNK) * header.floats.itemsize)):
            values = np.frombuffer(block, header.floats)
            bad += int(np.count_nonzero(~np.isfinite(values)))
            left -= values.size
    if bad:
        raise unusable_voxels(path.name, bad)


def require_text_name(path: Path) -> None:
    """Raise ``InputError`` for a name that is no UTF-8: SimpleITK would end the process, a report could not say it."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        shown = str(path).encode("utf-8", "replace").decode()
        raise InputError(
            f"The name {shown} holds characters that are no valid text on this computer. "
            "Rename the file or folder, for instance with plain letters and digits."
        ) from None


@dataclass(frozen=True)
class _Nifti:
    """``floats``: the type of float voxels, else None. ``single``: header and voxels are one file."""

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    bits: int
    offset: int
    floats: np.dtype[np.floating] | None
    single: bool

    @property
    def voxels(self) -> int:
        return math.prod(max(n, 1) for n in self.shape)


def _check_nifti(path: Path) -> None:
    header = _nifti_header(path)
    if header is None:
        return
    require_spacing(path, header.spacing)
    needed = header.offset + header.voxels * header.bits // 8
    # a header whose voxels lie in a separate .img file is small by right
    if header.single and _nifti_length(path, needed) < needed:
        raise truncated(path)


def _nifti_header(path: Path) -> _Nifti | None:
    """None for NIfTI-2, Analyze or no NIfTI at all, which are left to the reader."""
    raw = _nifti_bytes(path)
    order = next((o for o in "<>" if len(raw) == _NIFTI_HEADER and struct.unpack(o + "i", raw[:4])[0] == 348), "")
    if not order:
        return None
    shape = struct.unpack(order + "8h", raw[40:56])
    dimensions = min(max(shape[0], 0), 7)
    kind, bits = struct.unpack(order + "2h", raw[70:74])
    floats = _NIFTI_FLOATS.get(kind)
    return _Nifti(
        shape=shape[1 : 1 + dimensions],
        spacing=struct.unpack(order + "8f", raw[76:108])[1 : 1 + min(dimensions, 3)],
        bits=bits,
        offset=int(struct.unpack(order + "f", raw[108:112])[0]),
        floats=None if floats is None else np.dtype(order + floats),
        single=raw[344:346] == b"n+",
    )


def _nifti_bytes(path: Path) -> bytes:
    try:
        with _opened(path) as file:
            return file.read(_NIFTI_HEADER)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise truncated(path) from None


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if _is_gzip(path) else path.open("rb")


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
