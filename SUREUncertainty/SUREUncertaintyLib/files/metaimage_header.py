"""What MetaImage files say and SimpleITK passes over in silence.

It takes a file without a matrix for one in LPS and one without a spacing for one of 1 mm, reads damaged compressed
voxels as they come, and gives zeros where the header does not say how long they are.
Format: itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from ..core.checks import no_image, require_spacing
from ..core.errors import InputError
from .streams import incomplete, missing_half, require_intact, require_no_more

SUFFIXES = (".mha", ".mhd")
_LARGEST_HEADER = 1 << 16
_MATRIX = ("transformmatrix", "orientation", "rotation")
_PLACE = ("offset", "position", "origin")
_TRUE_OR_FALSE = ("compresseddata", "binarydata", "binarydatabyteordermsb", "elementbyteordermsb")
_TRUTH = ("true", "false")
_SPACING = ("elementspacing", "elementsize")
_SCALE = ("elementtointensityfunctionslope", "elementtointensityfunctionoffset")
_BYTES = {
    "MET_CHAR": 1,
    "MET_UCHAR": 1,
    "MET_SHORT": 2,
    "MET_USHORT": 2,
    "MET_INT": 4,
    "MET_UINT": 4,
    "MET_LONG": 4,
    "MET_ULONG": 4,
    "MET_LONG_LONG": 8,
    "MET_ULONG_LONG": 8,
    "MET_FLOAT": 4,
    "MET_DOUBLE": 8,
}


@dataclass(frozen=True)
class MetaHeader:
    """Fields by name in lower case, those that stand twice, and the byte where voxels in the same file begin.

    ``unread``: lines that name no field; the library reads none of the fields behind one.
    """

    fields: dict[str, str]
    start: int
    doubled: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def placed(self) -> bool:
        """Whether it says how the scan lies in the patient."""
        return any(name in self.fields for name in _MATRIX)

    @property
    def has_origin(self) -> bool:
        """Whether it says where in the patient the first voxel lies."""
        return any(name in self.fields for name in _PLACE)

    @property
    def sized(self) -> bool:
        """Whether it says how large voxels are."""
        return any(name in self.fields for name in _SPACING)


def is_metaimage(path: Path) -> bool:
    """Whether the name is that of a MetaImage file."""
    return path.name.lower().endswith(SUFFIXES)


def read_metaimage_header(path: Path) -> MetaHeader:
    """The header, which ends with ElementDataFile."""
    with path.open("rb") as file:
        head = file.read(_LARGEST_HEADER)
    end = re.search(rb"^[ \t]*ElementDataFile[ \t]*=[^\n]*\n?", head, re.MULTILINE | re.IGNORECASE)
    stop = end.end() if end else len(head)
    lines = [line for line in re.split(r"\r?\n", head[:stop].decode("latin-1")) if line.strip()]
    pairs = [line.partition("=") for line in lines if "=" in line]
    unread = tuple(line.strip() for line in lines if "=" not in line or not line.partition("=")[0].isascii())
    names = [name.strip().lower() for name, _, _ in pairs]
    doubled = tuple(sorted({name for name in names if names.count(name) > 1}))
    fields = {name: value.strip() for name, (_, _, value) in zip(names, pairs, strict=True)}
    return MetaHeader(fields, stop, doubled, unread)


def check_metaimage(path: Path) -> None:
    """Raise ``InputError`` for numbers that are none, and for other units than mm."""
    header = read_metaimage_header(path)
    fields = header.fields
    if header.doubled:
        raise InputError(f"The header of {path.name} gives {header.doubled[0]} twice. Export the scan again.")
    if header.unread:
        raise InputError(
            f"The header of {path.name} is damaged: a line of it is '{header.unread[0][:60]}', where the name of a "
            "field, = and its value are expected. Export the scan again."
        )
    if fields.get("elementdatafile", "").upper() == "LOCAL" and fields.get("headersize", "0") not in ("0", "-1"):
        raise no_image(path)  # the library begins in the header then
    for names in (_MATRIX, _PLACE):
        if len({_numbers(fields[name]) for name in names if name in fields}) > 1:
            both = " and ".join(name for name in names if name in fields)
            raise InputError(f"The header of {path.name} contradicts itself: {both} differ. Export the scan again.")
    if not all(fields.get(name, "true").lower() in _TRUTH for name in _TRUE_OR_FALSE):
        raise no_image(path)
    if not all(fields.get(name) for name in ("elementtype", "elementdatafile")) or not _counts_fit(fields):
        raise no_image(path)
    for name in (*_MATRIX, *_PLACE, *_SPACING):
        numbers = _numbers(fields.get(name, ""))
        if name in _SPACING and numbers is not None:
            require_spacing(path, numbers)
        elif numbers is None or not all(map(math.isfinite, numbers)):
            raise InputError(
                f"The file {path.name} does not say where its voxels lie: its {name} is '{fields[name]}', where "
                "numbers are expected. Export the scan again."
            )
    if _numbers(fields.get(_SCALE[0], "1")) != (1.0,) or _numbers(fields.get(_SCALE[1], "0")) != (0.0,):
        raise InputError(
            f"The file {path.name} scales its values (ElementToIntensityFunctionSlope and -Offset), which some "
            "programs apply and others do not. Save the scan again with its real values."
        )
    unit = fields.get("distanceunits", "mm").lower()
    if unit not in ("mm", "?", ""):
        raise InputError(
            f"The file {path.name} gives its lengths in {unit}. Millimetres are expected: save the scan again with "
            "lengths in mm."
        )


def check_metaimage_stream(path: Path) -> None:
    """Raise ``InputError`` for compressed voxels that are damaged or of unknown length."""
    header = read_metaimage_header(path)
    fields = header.fields
    data = fields.get("elementdatafile", "")
    if fields.get("compresseddata", "").lower() != "true":
        _require_length(path, header, data)
        return
    size = fields.get("compresseddatasize", "")
    if not size.isdecimal() or not int(size) or "%" in data or data.upper().startswith("LIST"):
        raise InputError(
            f"The file {path.name} is compressed in a way that cannot be read here: its header does not say how long "
            "its compressed voxels are (CompressedDataSize). Write it again without compression, or as NRRD."
        )
    local = data.upper() == "LOCAL"
    file, needed = path if local else path.parent / data, _needed(fields)
    if not file.is_file():
        raise missing_half(path, data)
    held = require_intact(file, path, header.start if local else 0, needed, int(size))
    require_no_more(path, held, needed, _row(fields))


def _require_length(path: Path, header: MetaHeader, data: str) -> None:
    """Voxels that are not compressed have to be all there, and no more of them."""
    if "%" in data or data.upper().startswith("LIST"):
        return
    local, fields = data.upper() == "LOCAL", header.fields
    file, skipped = path if local else path.parent / data, fields.get("headersize", "0")
    if not file.is_file():
        raise missing_half(path, data)
    if fields.get("binarydata", "").lower() != "true" or fields.get("elementtype", "").upper() not in _BYTES:
        return
    start = header.start if local else int(skipped) if skipped.isdecimal() else 0
    held, needed = file.stat().st_size - start, _needed(fields)
    if held < needed:
        raise incomplete(path)
    if skipped != "-1":  # which says that the voxels are the last bytes of the file
        require_no_more(path, held, needed, _row(fields))


def _row(fields: dict[str, str]) -> int:
    """Bytes of the voxels along the first axis."""
    return _needed({**fields, "dimsize": fields.get("dimsize", "").split()[0]})


def _needed(fields: dict[str, str]) -> int:
    """Bytes of all voxels."""
    channels = fields.get("elementnumberofchannels", "1")
    sizes = [int(size) for size in fields.get("dimsize", "").split() if size.isdigit()]
    bytes_each = _BYTES.get(fields.get("elementtype", "").upper(), 1)
    return math.prod(sizes) * bytes_each * (int(channels) if channels.isdigit() else 1)


def _counts_fit(fields: dict[str, str]) -> bool:
    """Whether sizes are whole numbers above zero, and every list has as many entries as there are axes.

    The library ends the process for some that do not.
    """
    axes = int(fields["ndims"]) if fields.get("ndims", "") in ("1", "2", "3", "4") else 0
    sizes = fields.get("dimsize", "").split()
    counts = {**dict.fromkeys(_MATRIX, axes * axes), **dict.fromkeys((*_PLACE, *_SPACING), axes)}
    return (
        bool(axes)
        and len(sizes) == axes
        and all(size.isdecimal() and int(size) for size in sizes)
        and all(len(fields[name].split()) == count for name, count in counts.items() if name in fields)
    )


def _numbers(text: str) -> tuple[float, ...] | None:
    if not text.isascii():  # Python takes more for a blank than the library does
        return None
    try:
        return tuple(float(part) for part in text.split())
    except ValueError:
        return None
