"""Texts of DICOM files: decoded by their SpecificCharacterSet, code extensions included (PS3.3 C.12.1.1.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CODECS = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 166": "iso8859_11",
    "ISO_IR 203": "iso8859_15",
    "ISO_IR 100": "latin_1",
    "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4",
    "ISO_IR 144": "iso8859_5",
    "ISO_IR 127": "iso8859_6",
    "ISO_IR 126": "iso8859_7",
    "ISO_IR 138": "iso8859_8",
    "ISO_IR 148": "iso8859_9",
    "ISO_IR 192": "utf_8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}
_ESCAPES = {
    b"(B": "ascii",
    b"(J": "shift_jis",
    b")I": "shift_jis",
    b"$)C": "euc_kr",
    b"$)A": "gb2312",
    b"-b": "iso8859_15",
    b"-A": "latin_1",
    b"-B": "iso8859_2",
    b"-C": "iso8859_3",
    b"-D": "iso8859_4",
    b"-L": "iso8859_5",
    b"-G": "iso8859_6",
    b"-F": "iso8859_7",
    b"-H": "iso8859_8",
    b"-M": "iso8859_9",
    b"-T": "iso8859_11",
}
_JAPANESE = {b"$B": "iso2022_jp", b"$@": "iso2022_jp", b"$(D": "iso2022_jp_2"}
"""Codecs that want to see the escape sequence themselves."""

_SEQUENCE = re.compile(rb"\x1b([()$\-][()]?[A-Za-z@])")


def decode_text(raw: bytes, character_sets: Sequence[str]) -> str:
    """A value as text; what cannot be decoded becomes U+FFFD.

    Args:
        character_sets: the values of (0008,0005); bytes beyond ASCII in a file that names none are taken for UTF-8
            or, where they are none, Latin-1, which is what such files mostly hold.
    """
    first = character_sets[0].replace("ISO 2022 IR", "ISO_IR").strip() if character_sets else ""
    parts = _SEQUENCE.split(raw)
    decoded = [_decode(parts[0], _CODECS.get(first, "ascii"))]
    for escape, part in zip(parts[1::2], parts[2::2], strict=True):
        if escape in _JAPANESE:
            decoded.append((b"\x1b" + escape + part + b"\x1b(B").decode(_JAPANESE[escape], "replace"))
        else:
            decoded.append(_decode(part, _ESCAPES.get(escape, "ascii")))
    return "".join(decoded)


def _decode(raw: bytes, codec: str) -> str:
    for name in (codec, "utf_8") if codec == "ascii" else (codec,):
        try:
            return raw.decode(name)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin_1" if codec == "ascii" else codec, "replace")
