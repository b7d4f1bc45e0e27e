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
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from ..core.checks import no_image, require_spacing, unusable_voxels
from ..core.errors import InputError
from ..core.nifti_forms import KNOWN_CODES, NiftiForms, forms_of
from .streams import incomplete, require_intact, starts_as_gzip

_SIZE, _SIZE_OF_SECOND = 348, 540
_TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
_UNITS_MM = {1: 1000.0, 3: 0.001}
_TIMES_MS = {8: 1000.0, 16: 1.0, 24: 0.001}
_CHUNK = 1 << 20
_SMALLEST_SLOPE = float(np.finfo(np.float64).eps)
"""The library takes smaller ones for none (itkNiftiImageIO.cxx)."""

_HEADER, _VOXELS = ".hdr", ".img"
SUFFIXES = (".nii", _HEADER, _VOXELS)


@dataclass(frozen=True)
class NiftiHeader:
    """What the checks need.

    Attributes:
        shape: voxels along i, j, k, ...; spacing: mm along i, j, k.
        bits: of a voxel; type: as it is stored, None for what is no single number.
        data: the file that holds the voxels, from byte ``offset`` on; ``single``: whether the header is in it, too.
        slope, intercept: from stored to real values; a slope of 0 means none.
        handedness: which way k runs by the qform (qfac, pixdim[0]): -1, or 1, which stands for all others.
        time_step_ms: from volume to volume of a scan over time; 0 where the header does not say it.
        forms: how the scan lies in the patient.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    bits: int
    type: np.dtype[Any] | None
    data: Path
    offset: int
    single: bool
    slope: float
    intercept: float
    forms: NiftiForms
    handedness: float = 1.0
    time_step_ms: float = 0.0

    @property
    def needed(self) -> int:
        """Bytes up to the end of the last voxel; a type says better than its number of bits how long each is."""
        return self.offset + self.voxels * (self.bits if self.type is None else 8 * self.type.itemsize) // 8

    @property
    def voxels(self) -> int:
        """How many there are."""
        return math.prod(max(n, 1) for n in self.shape)

    @property
    def placed(self) -> bool:
        """Whether it says how the scan lies in the patient."""
        return self.forms.chosen is not None

    @property
    def is_scaled(self) -> bool:
        """Whether stored and real values differ (nifti1.h: a slope of 0 means that they do not)."""
        return self.slope != 0 and math.isfinite(self.slope)


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
    dimensions = struct.unpack(order + "h", raw[40:42])[0]
    dimensions = dimensions if 0 < dimensions <= 7 else 0
    kind, bits = struct.unpack(order + "2h", raw[70:74])
    handedness, *spacing = struct.unpack(order + "8f", raw[76:108])
    offset, slope, intercept = struct.unpack(order + "3f", raw[108:120])
    single = raw[345:346] == b"+"
    # a 2D file need not say how thick it is
    three = tuple(value if n < dimensions else abs(value) or 1.0 for n, value in enumerate(spacing[:3]))
    return NiftiHeader(
        shape=struct.unpack(order + "7h", raw[42:56])[:dimensions],
        spacing=tuple(spacing[: min(dimensions, 3)]),
        bits=bits,
        type=np.dtype(order + _TYPES[kind]) if kind in _TYPES else None,
        data=halves[0] if single else halves[1],
        offset=int(offset) if math.isfinite(offset) else -1,
        single=single,
        slope=slope,
        intercept=intercept,
        forms=forms_of(raw, order, three, _UNITS_MM.get(raw[123] & 7, 1.0)),
        handedness=handedness,
        time_step_ms=_time_step(spacing[3] if dimensions > 3 else 0.0, raw[123]),
    )


def check_nifti(path: Path) -> None:
    """Raise ``InputError`` for a spacing that cannot be right or a file that is shorter than its header says."""
    header = read_nifti_header(path)
    if header is None or not header.shape or min(header.shape[:3]) < 1:
        raise no_image(path)
    require_spacing(path, header.spacing)
    _require_place(path, header)
    if not header.data.is_file():
        raise InputError(f"The file {path.name} is one half of a pair; {header.data.name} is missing beside it.")
    first = _SIZE + 4 if header.single else 0
    if header.offset < first:
        raise InputError(
            f"The file {path.name} says that its voxels begin at byte {header.offset}, but its header takes the first "
            f"{first} bytes. Write the scan again with another program, for instance 3D Slicer."
        )
    if header.is_scaled and (not math.isfinite(header.intercept) or abs(header.slope) < _SMALLEST_SLOPE):
        raise InputError(
            f"The file {path.name} scales its voxels by numbers that cannot be right (slope {header.slope:g}, "
            f"intercept {header.intercept:g}). Export the scan again."
        )
    if not starts_as_gzip(header.data) and header.data.stat().st_size < header.needed:
        raise incomplete(path)


def check_nifti_stream(path: Path) -> int:
    """Bytes that the file holds behind its last voxel. Raises ``InputError`` for compressed voxels that are damaged or
    end early."""
    header = read_nifti_header(path)
    if header is None:
        return 0
    packed = starts_as_gzip(header.data)
    held = require_intact(header.data, path, 0, header.needed) if packed else header.data.stat().st_size
    return held - header.needed


def check_nifti_numbers(path: Path) -> None:
    """Raise ``InputError`` when floating-point voxels hold NaN or infinity, which are lost on reading."""
    header = read_nifti_header(path)
    if header is None or header.type is None or header.type.kind != "f":
        return
    bad, left = 0, header.voxels
    with _opened(header.data) as file:
        file.seek(header.offset)
        while left and (block := file.read(min(left, _CHUNK) * header.type.itemsize)):
            values = np.frombuffer(block, header.type)
            bad += int(np.count_nonzero(~np.isfinite(values)))
            left -= values.size
    if bad:
        raise unusable_voxels(path.name, bad)


def stored_voxels(header: NiftiHeader, frame: int = 0) -> NDArray[Any]:
    """The voxels (k, j, i) of one volume as stored, in a file that was checked and holds one number a voxel."""
    assert header.type is not None
    shape = ([max(n, 1) for n in header.shape] + [1, 1])[:3]
    size = math.prod(shape) * header.type.itemsize
    with _opened(header.data) as file:
        file.seek(header.offset + frame * size)
        raw = file.read(size)
    return np.frombuffer(raw, header.type).astype(header.type.newbyteorder("=")).reshape(shape[::-1])


def _time_step(step: float, units: int) -> float:
    """In ms; 0 where it is no number above zero or its unit is none of time."""
    known = _TIMES_MS.get(units & 0x38, 0.0)
    return step * known if math.isfinite(step) and step > 0 else 0.0


def _require_place(path: Path, header: NiftiHeader) -> None:
    """Refuse a place that is no number, or axes of another length than the header's spacing with nothing to fall to."""
    forms = header.forms
    if forms.qform.given and header.handedness < 0 and header.handedness != -1.0:  # some readers take it for 1
        raise InputError(
            f"The file {path.name} does not say which way its slices run: the handedness of its qform (pixdim[0]) is "
            f"{header.handedness:g}, where 1 or -1 is expected. Export the scan again."
        )
    for name, form in (("qform", forms.qform), ("sform", forms.sform)):
        if form.code not in KNOWN_CODES:
            raise InputError(
                f"The file {path.name} gives its {name} the code {form.code}, which means nothing, so that it does not "
                "say where the scan lies. Export the scan again."
            )
        if not form.given or np.isfinite(form.matrix).all():
            continue
        raise InputError(
            f"The file {path.name} does not say where the scan lies: its {name} holds numbers that are none, or are no "
            "rotation. Export the scan again."
        )
    unscaled = np.allclose(
        forms.sform.lengths, 1.0, atol=1e-3
    )  # says directions at most, as files of some challenges do
    if forms.chosen is None and forms.sform.perpendicular and forms.sform.given and not unscaled:
        raise InputError(
            f"The file {path.name} contradicts itself: its voxels are {_sizes(forms.spacing)} mm by their spacing, but "
            f"{_sizes(tuple(forms.sform.lengths))} mm by its sform. Export the scan again, or resample it to its sform."
        )


def _sizes(values: tuple[float, ...]) -> str:
    return " x ".join(f"{value:.4g}" for value in values)


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
        raise incomplete(path) from None


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if starts_as_gzip(path) else path.open("rb")
