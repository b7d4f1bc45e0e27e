"""What NIfTI files say and SimpleITK passes over in silence.

SimpleITK reads a NIfTI file that ends too early as if its lost voxels were zero, its NaN and infinite voxels as zero
too, and turns a spacing of zero, below zero or NaN into one of 1 mm or its absolute value. It takes the older Analyze
format, whose files do not say which side is left, for NIfTI.

Layout: nifti1.h, https://nifti.nimh.nih.gov/nifti-1
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from ..core.checks import require_spacing, unusable_voxels
from ..core.errors import InputError

_SIZE, _SIZE_OF_SECOND = 348, 540
_FLOATS = {16: "f4", 64: "f8"}
_CHUNK = 1 << 20
_HEADER, _VOXELS = ".hdr", ".img"
SUFFIXES = (".nii", _HEADER, _VOXELS)


@dataclass(frozen=True)
class NiftiHeader:
    """What the checks need.

    Attributes:
        shape: voxels along i, j, k, ...; spacing: mm along i, j, k.
        bits: of a voxel; floats: their type if they are floating-point numbers, else None.
        data: the file that holds the voxels, from byte ``offset`` on.
        placed: whether it says how the scan lies in the patient.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    bits: int
    floats: np.dtype[np.floating] | None
    data: Path
    offset: int
    placed: bool

    @property
    def voxels(self) -> int:
        """How many there are."""
        return math.prod(max(n, 1) for n in self.shape)


def is_nifti(path: Path) -> bool:
    """Whether the name is that of a NIfTI file, or of one half of a pair (.hdr, .img)."""
    return path.name.lower().removesuffix(".gz").endswith(SUFFIXES)


def read_nifti_header(path: Path) -> NiftiHeader | None:
    """The header; None for another kind of file, which is left to the reader.

    Raises:
        InputError: a file that ends in its header, NIfTI-2, or Analyze.
    """
    halves = _halves(path)
    raw = _beginning(halves[0])
    order = next((o for o in "<>" if len(raw) == _SIZE and struct.unpack(o + "i", raw[:4])[0] == _SIZE), "")
    if not order:
        _refuse_second(path, raw)
        return None
    if raw[344:348] not in (b"n+1\0", b"ni1\0"):
        raise InputError(
            f"The file {path.name} is in the Analyze format, which does not say which side is left. "
            "Export the scan again as NIfTI or NRRD."
        )
    dimensions = min(max(struct.unpack(order + "h", raw[40:42])[0], 0), 7)
    kind, bits = struct.unpack(order + "2h", raw[70:74])
    floats = _FLOATS.get(kind)
    single = raw[345:346] == b"+"
    return NiftiHeader(
        shape=struct.unpack(order + "7h", raw[42:56])[:dimensions],
        spacing=struct.unpack(order + "7f", raw[80:108])[: min(dimensions, 3)],
        bits=bits,
        floats=None if floats is None else np.dtype(order + floats),
        data=halves[0] if single else halves[1],
        offset=int(struct.unpack(order + "f", raw[108:112])[0]),
        placed=any(struct.unpack(order + "2h", raw[252:256])),
    )


def check_nifti(path: Path) -> None:
    """Raise ``InputError`` for a spacing that cannot be right or a file that is shorter than its header says."""
    header = read_nifti_header(path)
    if header is None:
        return
    require_spacing(path, header.spacing)
    needed = header.offset + header.voxels * header.bits // 8
    if not header.data.is_file():
        raise InputError(f"The file {path.name} is one half of a pair; {header.data.name} is missing beside it.")
    if _length(header.data, needed) < needed:
        raise truncated(path)


def check_nifti_voxels(path: Path) -> None:
    """Raise ``InputError`` when floating-point voxels hold NaN or infinity, which are lost on reading."""
    header = read_nifti_header(path)
    if header is None or header.floats is None:
        return
    bad, left = 0, header.voxels
    with _opened(header.data) as file:
        file.seek(header.offset)
        while left and (block := file.read(min(left, _CHUNK) * header.floats.itemsize)):
            values = np.frombuffer(block, header.floats)
            bad += int(np.count_nonzero(~np.isfinite(values)))
            left -= values.size
    if bad:
        raise unusable_voxels(path.name, bad)


def truncated(path: Path) -> InputError:
    """The error for a file that ends too early."""
    return InputError(
        f"The file {path.name} is incomplete: it ends before its last voxel. Copy or export the scan again."
    )


def _halves(path: Path) -> tuple[Path, Path]:
    """Header and voxels; one and the same file for .nii. The other half of a pair may be compressed or not."""
    packed = ".gz" if path.name.lower().endswith(".gz") else ""
    stem = path.name[: len(path.name) - len(packed)]
    suffix = stem[-4:].lower()
    if suffix not in (_HEADER, _VOXELS):
        return path, path
    other = stem[:-4] + (_VOXELS if suffix == _HEADER else _HEADER)
    found = next(
        (
            p
            for p in (path.with_name(other + packed), path.with_name(other), path.with_name(other + ".gz"))
            if p.is_file()
        ),
        path.with_name(other + packed),
    )
    return (path, found) if suffix == _HEADER else (found, path)


def _refuse_second(path: Path, raw: bytes) -> None:
    if len(raw) >= 4 and _SIZE_OF_SECOND in (struct.unpack("<i", raw[:4])[0], struct.unpack(">i", raw[:4])[0]):
        raise InputError(
            f"The file {path.name} is a NIfTI-2 file, which cannot be read here. Save the scan as NIfTI-1 or NRRD."
        )


def _beginning(path: Path) -> bytes:
    try:
        with _opened(path) as file:
            return file.read(_SIZE)
    except FileNotFoundError:
        return b""
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise truncated(path) from None


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if _is_gzip(path) else path.open("rb")


def _length(path: Path, needed: int) -> int:
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
