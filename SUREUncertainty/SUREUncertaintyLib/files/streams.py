"""Whether compressed voxels are what was written: SimpleITK reads past errors in some streams and checks no sum."""

from __future__ import annotations

import zlib
from pathlib import Path

from ..core.errors import InputError

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


def starts_as_gzip(path: Path) -> bool:
    """Whether a file begins as gzip does, whatever its name."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def require_intact(path: Path, named: Path, start: int, needed: int, length: int | None = None) -> int:
    """Unpack a gzip or zlib stream, throw the bytes away, and count them.

    Args:
        path: the file that holds the stream, from byte ``start`` on; what follows the stream is not looked at.
        named: the file that a person chose, for the sentence.
        needed: bytes that it must give at least.
        length: of the stream in the file, where a header says it; None for all that there is.

    Raises:
        InputError: it ends early, or a block or its check sum is wrong.
    """
    left = path.stat().st_size - start if length is None else length
    found = 0
    with path.open("rb") as file:
        file.seek(start)
        rest = b""
        while found < needed:
            unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either kind, by its first bytes
            while not unpacker.eof:
                if not rest:
                    rest = file.read(min(_CHUNK, left))
                    left -= len(rest)
                if not rest:
                    raise incomplete(named)
                found += _unpacked(unpacker, rest, named)
                rest = unpacker.unconsumed_tail or unpacker.unused_data
    return found


def require_no_more(named: Path, held: int, needed: int, row: int) -> None:
    """Raise ``InputError`` for a file with more bytes of voxels than its header says; less than a row is padding.

    The library reads the first of them, which are noise where the header names another type or size than was written.
    """
    if held >= needed + max(row, 1):
        raise InputError(
            f"The file {named.name} has {held} bytes of voxels, but {needed} by its header (sizes and type of a "
            "voxel). Export the scan again, or correct the header."
        )


def missing_half(named: Path, data: str) -> InputError:
    """The error for a header whose voxels lie in another file that is not there."""
    return InputError(
        f"The file {named.name} is a header only; its voxels lie in {data}, which is missing. Copy both files together."
    )


def damaged(path: Path) -> InputError:
    """The error for a file whose compressed voxels do not unpack to what was packed."""
    return InputError(
        f"The file {path.name} is damaged: its compressed voxels are no longer what was written. "
        "Copy or export the scan again."
    )


def incomplete(path: Path) -> InputError:
    """The error for a file that ends too early."""
    return InputError(
        f"The file {path.name} is incomplete: it ends before its last voxel. Copy or export the scan again."
    )


def _unpacked(unpacker: zlib._Decompress, packed: bytes, named: Path) -> int:
    try:
        return len(unpacker.decompress(packed, 4 * _CHUNK))
    except zlib.error:
        raise damaged(named) from None
