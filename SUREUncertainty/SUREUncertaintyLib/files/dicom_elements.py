"""The data set of one DICOM file up to its voxels, with sequences: the parts that SimpleITK does not hand out.

It needs no DICOM library, since reading has to work where only NumPy, SciPy and SimpleITK are installed. Encoding:
PS3.5 chapter 7; files: PS3.10.
"""

from __future__ import annotations

import math
import mmap
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..core.errors import InputError
from ..core.safe_names import plain_text
from .dicom_charset import decode_text

CHARACTER_SET, CLASS, MODALITY, DESCRIPTION = 0x00080005, 0x00080016, 0x00080060, 0x0008103E
SERIES, NUMBER, POSITION, ORIENTATION = 0x0020000E, 0x00200011, 0x00200032, 0x00200037
FRAMES, ROWS, COLUMNS, SAMPLES, BITS = 0x00280008, 0x00280010, 0x00280011, 0x00280002, 0x00280100
PHOTOMETRIC = 0x00280004
ACQUISITION_DATE, ACQUISITION_DATETIME, SERIES_DATE, STUDY_DATE = 0x00080022, 0x0008002A, 0x00080021, 0x00080020
PIXEL_SPACING, BETWEEN_SLICES, INTERCEPT, SLOPE = 0x00280030, 0x00180088, 0x00281052, 0x00281053
SHARED, PER_FRAME = 0x52009229, 0x52009230
_TRANSFER_SYNTAX, _ITEM, _ITEM_END, _SEQUENCE_END = 0x00020010, 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_VOXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_IMPLICIT, _BIG, _DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_KNOWN_SEQUENCES = {
    *(SHARED, PER_FRAME, 0x00209111, 0x00209113, 0x00209116, 0x00289110, 0x00289145),
    *(0x00189114, 0x00189117, 0x00189118, 0x00189152, 0x00189226, 0x00189329, 0x00189341, 0x00540022, 0x00041220),
}
"""Sequences that are looked into; files with implicit types do not mark those of a given length."""

_UNDEFINED = 0xFFFFFFFF
_LARGEST_VALUE, _DEEPEST, _LARGEST_INFLATED = 1 << 16, 12, 1 << 31


@dataclass(frozen=True, eq=False)
class Elements:
    """Values by tag (0xGGGGEEEE), as they are stored; sequences as tuples of data sets.

    Attributes:
        has_voxels: whether the file holds some; ``voxel_bytes``: how many bytes, None where they are compressed.
    """

    values: Mapping[int, bytes | tuple[Elements, ...]]
    order: str
    inherited: tuple[str, ...] = ()
    has_voxels: bool = False
    voxel_bytes: int | None = None

    def __contains__(self, tag: int) -> bool:
        return tag in self.values

    def text(self, tag: int) -> str:
        """A text of one line, empty where there is none."""
        return plain_text(decode_text(self._raw(tag), self.character_sets))

    def numbers(self, tag: int) -> tuple[float, ...]:
        """The numbers of a decimal or integer string; none where there are none or one of them is no finite number."""
        try:
            found = tuple(
                float(part) for part in self._raw(tag).decode("ascii").strip(" \0").split("\\") if part.strip()
            )
        except ValueError:
            return ()
        return found if all(map(math.isfinite, found)) else ()

    def count(self, tag: int) -> int:
        """A 16-bit whole number, 0 where there is none."""
        return int(self.binary(tag, "H"))

    def binary(self, tag: int, stored: str) -> float:
        """The first number of a binary value, ``stored`` as ``struct`` names it; 0 where there is none."""
        kind = struct.Struct(self.order + stored)
        raw = self._raw(tag)
        return float(kind.unpack_from(raw)[0]) if len(raw) >= kind.size else 0.0

    def items(self, tag: int) -> tuple[Elements, ...]:
        """The items of a sequence."""
        found = self.values.get(tag, ())
        return found if isinstance(found, tuple) else ()

    @cached_property
    def character_sets(self) -> tuple[str, ...]:
        """The values of SpecificCharacterSet, for an item those of its file."""
        raw = self._raw(CHARACTER_SET)
        return tuple(raw.decode("ascii", "replace").strip(" \0").split("\\")) if raw else self.inherited

    def _raw(self, tag: int) -> bytes:
        found = self.values.get(tag, b"")
        return found if isinstance(found, bytes) else b""


def read_elements(path: Path) -> Elements:
    """The data set of a file, up to its voxels. Raises ``InputError`` for a file that is damaged or no DICOM."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _parse(content)
    except (struct.error, ValueError, OverflowError, zlib.error, RecursionError):
        raise damaged(path) from None


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file's first 140 bytes are those of DICOM, with its preamble or without."""
    return head[128:132] == b"DICM" or _starts_data_set(head)


def damaged(path: Path) -> InputError:
    """The error for a file that is broken or ends too early."""
    return InputError(
        f"The DICOM file {path.name} is damaged or incomplete and cannot be read. Copy or export the series again."
    )


def _starts_data_set(head: bytes) -> bool:
    """Without a preamble a file begins with its first element: group 2 or 8, and a length that is small."""
    if len(head) < 8:
        return False
    group, element = struct.unpack("<HH", head[:4])
    explicit = head[4:6] in (b"UL", b"UI", b"CS", b"OB", b"SH")
    length = struct.unpack("<H", head[6:8])[0] if explicit else struct.unpack("<I", head[4:8])[0]
    return (group, element) in ((2, 0), (2, 1), (2, 2), (8, 0), (8, 1), (8, 5), (8, 8), (8, 0x16)) and length <= 128


def _parse(content: mmap.mmap) -> Elements:
    start = 132 if content[128:132] == b"DICM" else 0
    meta, start = _Walker(content, "<", True).file_meta(start)
    syntax = meta.text(_TRANSFER_SYNTAX)
    data: mmap.mmap | bytes = content
    if syntax == _DEFLATED:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        data, start = unpacker.decompress(content[start:], _LARGEST_INFLATED), 0
    order = ">" if syntax == _BIG else "<"
    # some files lie about it: what stands at the place of the first type decides
    explicit = data[start + 4 : start + 6].isalpha() and data[start + 4 : start + 6].isupper()
    return _Walker(data, order, explicit).data_set(start, len(data))


class _Walker:
    """Walks through the elements of one encoding."""

    def __init__(self, data: mmap.mmap | bytes, order: str, explicit: bool) -> None:
        self.data, self.order, self.explicit = data, order, explicit
        self._tag = struct.Struct(order + "HH")
        self._short = struct.Struct(order + "H")
        self._long = struct.Struct(order + "I")

    def file_meta(self, at: int) -> tuple[Elements, int]:
        """The file's group 2, and where the data set begins."""
        values: dict[int, bytes | tuple[Elements, ...]] = {}
        while at + 8 <= len(self.data) and self._read_tag(at) >> 16 == 2:
            tag = self._read_tag(at)
            _, length, at = self._header(at)
            values[tag] = self._value(at, length)
            at += length
        return Elements(values, self.order), at

    def data_set(self, at: int, end: int) -> Elements:
        """The elements of the file itself."""
        values: dict[int, bytes | tuple[Elements, ...]] = {}
        stop, has_voxels = self._fill(values, at, end, (), 0)
        length = self._header(stop)[1] if has_voxels else _UNDEFINED
        return Elements(values, self.order, (), has_voxels, None if length == _UNDEFINED else length)

    def _fill(
        self, values: dict[int, bytes | tuple[Elements, ...]], at: int, end: int, sets: tuple[str, ...], depth: int
    ) -> tuple[int, bool]:
        """Elements until the voxels, the end of the item, or ``end``; where it stopped, and whether at voxels."""
        if depth > _DEEPEST:
            raise ValueError("sequences too deep")
        while at < end:
            tag = self._read_tag(at)
            if tag == _ITEM_END:
                return at + 8, False
            if depth == 0 and tag in _VOXELS:
                return at, True
            kind, length, at = self._header(at)
            if kind == b"SQ" or tag in _KNOWN_SEQUENCES or length == _UNDEFINED:
                values[tag], at = self._sequence(at, length, sets, depth, kind)
            else:
                values[tag] = self._value(at, length)
                at += length
            if tag == CHARACTER_SET:
                sets = Elements(values, self.order).character_sets
        if at > end:
            raise ValueError("an element reaches over the end")
        return at, False

    def _sequence(
        self, at: int, length: int, sets: tuple[str, ...], depth: int, kind: bytes
    ) -> tuple[tuple[Elements, ...], int]:
        if kind == b"UN" and self.explicit:  # unknown to who wrote it: implicit types inside (PS3.5 6.2.2)
            return _Walker(self.data, "<", False)._sequence(at, length, sets, depth, b"SQ")
        end = len(self.data) if length == _UNDEFINED else at + length
        if end > len(self.data):
            raise ValueError("a sequence reaches over the end")
        items: list[Elements] = []
        while at < end:
            tag, size = self._read_tag(at), self._long.unpack_from(self.data, at + 4)[0]
            at += 8
            if tag == _SEQUENCE_END:
                break
            if tag != _ITEM:
                raise ValueError("no item in a sequence")
            values: dict[int, bytes | tuple[Elements, ...]] = {}
            at, _ = self._fill(values, at, end if size == _UNDEFINED else at + size, sets, depth + 1)
            items.append(Elements(values, self.order, sets))
        return tuple(items), at

    def _read_tag(self, at: int) -> int:
        group, element = self._tag.unpack_from(self.data, at)
        return int(group << 16 | element)

    def _header(self, at: int) -> tuple[bytes, int, int]:
        """Type (empty if implicit), length, and where the value begins."""
        kind = self.data[at + 4 : at + 6] if self.explicit else b""
        if not (kind.isalpha() and kind.isupper()):
            return b"", int(self._long.unpack_from(self.data, at + 4)[0]), at + 8
        if kind in _LONG:
            return kind, int(self._long.unpack_from(self.data, at + 8)[0]), at + 12
        return kind, int(self._short.unpack_from(self.data, at + 6)[0]), at + 8

    def _value(self, at: int, length: int) -> bytes:
        """The bytes of a value; of large ones, which are no text of use here, none."""
        if length == _UNDEFINED or at + length > len(self.data):
            raise ValueError("an element reaches over the end")
        return bytes(self.data[at : at + length]) if length <= _LARGEST_VALUE else b""
