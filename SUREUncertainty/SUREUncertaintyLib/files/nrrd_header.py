"""What NRRD files say and SimpleITK passes over in silence.

It takes a file without a space for one in LPS, drops numbers that are none, and does not check compressed voxels.
Format: teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from ..core.checks import no_image, require_spacing
from ..core.errors import InputError
from .streams import incomplete, missing_half, require_intact, require_no_more

SUFFIXES = (".nrrd", ".nhdr")
_LARGEST_HEADER = 1 << 22
_ANATOMICAL = re.compile(
    r"(right|left)[- ](anterior|posterior)[- ](superior|inferior)([- ]time)?|[rl][ap][si]t?", re.IGNORECASE
)
_BYTES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t"), 4),
    **dict.fromkeys(("longlong", "long long", "int64", "int64_t", "ulonglong", "uint64", "uint64_t"), 8),
    "float": 4,
    "double": 8,
}
_MM = {"mm", "millimeter", "millimetre", "millimeters", "millimetres", ""}
_OTHER_LENGTHS = {"nm", "um", "µm", "μm", "micron", "microns", "cm", "m", "in", "inch"}
_RANGES = {"list", "time", "vector", "covariant-vector", "normal", "point", "scalar", "complex", "quaternion"}
_SEVERAL_NUMBERS = re.compile(r"\d+d?-|rgb|hsv|xyz", re.IGNORECASE)
"""Kinds of axes that run through the numbers of one voxel: RGB-color, 3-vector, 3D-symmetric-matrix."""


@dataclass(frozen=True)
class NrrdHeader:
    """Fields by name in lower case, those that stand twice, and the byte where voxels in the same file begin."""

    fields: dict[str, str]
    start: int
    doubled: tuple[str, ...] = ()

    @property
    def placed(self) -> bool:
        """Whether it says how the scan lies in the patient."""
        return bool(_ANATOMICAL.fullmatch(self.fields.get("space", ""))) and "space directions" in self.fields

    @property
    def has_origin(self) -> bool:
        """Whether it says where in the patient the first voxel lies."""
        return "(" in self.fields.get("space origin", "")

    @property
    def lacks_directions(self) -> bool:
        """Whether it gives directions, but not one for each axis of space (``none`` in its place)."""
        kinds = self.fields.get("kinds", "").lower().split() or ["domain"] * int(self.fields.get("dimension", 0))
        axes = sum(kind not in _RANGES and not _SEVERAL_NUMBERS.match(kind) for kind in kinds)
        given = self.fields.get("space directions")
        return given is not None and given.count("(") < min(axes, 3)

    @property
    def over_time(self) -> bool:
        """Whether one of its axes is a list or times, as in the files of Slicer's sequences."""
        return bool({"list", "time"} & set(self.fields.get("kinds", "").lower().split()))

    @property
    def sized(self) -> bool:
        """Whether it says how large voxels are."""
        return "space directions" in self.fields or "spacings" in self.fields


_GEOMETRY = ("dimension", "sizes", "spacings", "axis mins", "axis maxs", "space directions", "space origin")
_BLANKS = " \t\r"
"""Those of the library; Python knows more of them."""


def is_nrrd(path: Path) -> bool:
    """Whether the name is that of an NRRD file."""
    return path.name.lower().endswith(SUFFIXES)


def read_nrrd_header(path: Path) -> NrrdHeader:
    """The header; empty for what is no NRRD, which is left to the reader."""
    with path.open("rb") as file:
        head = file.read(_LARGEST_HEADER)
    if not head.startswith(b"NRRD"):
        return NrrdHeader({}, 0)
    end = re.search(rb"\r?\n\r?\n", head)
    text = head[: end.start() if end else len(head)].decode("latin-1")
    lines = (re.match(r"([^:#]+):(?!=)\s*(.*)", line) for line in re.split(r"\r?\n", text))
    found = [(line[1].strip(_BLANKS).lower(), line[2].strip(_BLANKS)) for line in lines if line]
    names = [name for name, _ in found]
    doubled = tuple(sorted({name for name in names if names.count(name) > 1}))
    return NrrdHeader(dict(found), end.end() if end else len(head), doubled)


def check_nrrd(path: Path) -> None:
    """Raise ``InputError`` for sizes, directions or an origin that are no numbers, and for other units than mm."""
    header = read_nrrd_header(path)
    fields = header.fields
    if header.doubled:
        raise InputError(f"The header of {path.name} gives '{header.doubled[0]}' twice. Export the scan again.")
    sizes = fields.get("sizes", "").split()
    whole = all(size.isdecimal() and int(size) for size in sizes) and fields.get("dimension") == str(len(sizes))
    if not sizes or not whole or not fields.get("type") or not fields.get("encoding"):
        raise no_image(path)
    if not all(fields.get(name, "").isascii() for name in _GEOMETRY):
        raise no_image(path)
    for name in ("spacings", "axis mins", "axis maxs"):
        _require_numbers(path, name, [fields.get(name, "").split()])
    require_spacing(
        path, tuple(value for part in fields.get("spacings", "").split() if (value := _number(part)) is not None)
    )
    for name in ("space directions", "space origin"):
        vectors = re.findall(r"\(([^)]*)\)", fields.get(name, ""))
        _require_numbers(path, name, [vector.replace(",", " ").split() for vector in vectors], may_be_unknown=False)
    if header.lacks_directions:
        raise InputError(
            f"The file {path.name} does not say where its voxels lie: its 'space directions' are "
            f"'{fields['space directions']}', where one is expected for each axis. Export the scan again."
        )
    if foreign := (_units(header, "space units") - _MM) | (_units(header, "units") & _OTHER_LENGTHS):
        raise InputError(
            f"The file {path.name} gives its lengths in {', '.join(sorted(foreign))}. Millimetres are expected: "
            "save the scan again with lengths in mm."
        )
    if fields["encoding"].lower() in ("bzip2", "bz2"):
        raise InputError(
            f"The voxels of {path.name} are packed with bzip2, which cannot be read here. Save the scan again as NRRD "
            "with gzip or without compression."
        )


def check_nrrd_stream(path: Path) -> None:
    """Raise ``InputError`` for compressed voxels that are damaged, and for voxels that end early."""
    header = read_nrrd_header(path)
    fields = header.fields
    data = fields.get("data file", fields.get("datafile", ""))
    skips = {fields.get(name, "0") for name in ("line skip", "lineskip", "byte skip", "byteskip")} - {"", "0"}
    file = path.parent / data if data else path
    if "%" in data or data.startswith("LIST"):
        return
    if not file.is_file():
        raise missing_half(path, data)
    each = _BYTES.get(fields.get("type", "").lower(), 0)
    if skips or not each:
        return
    sizes = [int(size) for size in fields["sizes"].split()]
    needed, start, encoding = math.prod(sizes) * each, 0 if data else header.start, fields["encoding"].lower()
    if encoding in ("gzip", "gz"):
        require_no_more(path, require_intact(file, path, start, needed), needed, sizes[0] * each)
    elif encoding == "raw":
        held = file.stat().st_size - start
        if held < needed:
            raise incomplete(path)
        require_no_more(path, held, needed, sizes[0] * each)


def _units(header: NrrdHeader, name: str) -> set[str]:
    return {unit.strip().lower() for unit in re.findall(r'"([^"]*)"', header.fields.get(name, ""))}


def _require_numbers(path: Path, name: str, groups: list[list[str]], may_be_unknown: bool = True) -> None:
    """NaN stands for "unknown" on axes that are none of space; in a vector it makes no sense."""
    for part in (part for group in groups for part in group):
        number = _number(part)
        if number is None or math.isinf(number) or (math.isnan(number) and not may_be_unknown):
            raise InputError(
                f"The file {path.name} does not say where its voxels lie: its '{name}' holds {part}, which is no "
                "number of mm. Export the scan again."
            )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
