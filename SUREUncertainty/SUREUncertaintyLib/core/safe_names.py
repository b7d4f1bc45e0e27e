"""Names that people or other programs gave, made fit for every place where they are shown or written.

Each place escapes what means something there (HTML and XML by their own functions, tables by ``table_cell``). What no
place can bear goes at the source: control characters, half characters, line breaks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_IN_FILE_NAMES = re.compile(r"[^\w.+-]+")
_TURNING = {*map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF))}
_RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(1, 10))}


def plain_text(text: str) -> str:
    """One line of text without characters that XML, tables or terminals cannot bear; outer white space goes too.

    Line and paragraph separators and tabs become spaces; control, surrogate and unassigned characters go, and those
    that turn the direction of what follows, behind which a name reads as another one.
    """
    spaced = "".join(" " if char.isspace() else char for char in text)
    kept = (c for c in spaced if unicodedata.category(c) not in ("Cc", "Cs", "Cn") and c not in _TURNING)
    return " ".join("".join(kept).split())


def table_cell(value: Any) -> Any:
    """A value for a CSV file; a text that a spreadsheet would run as a formula gets an apostrophe in front."""
    runs = isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value)
    return f"'{value}" if runs else value


def table_row(values: Iterable[Any]) -> list[Any]:
    """A line for a CSV file."""
    return [table_cell(value) for value in values]


def from_table_cell(text: str) -> str:
    """What ``table_cell`` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def file_name(text: str, otherwise: str = "unnamed") -> str:
    """A name that every file system takes: letters, digits, ``. _ + -``, at most 80 of them, no dot at either end."""
    name = _IN_FILE_NAMES.sub("_", plain_text(text))[:80].strip("._ ")
    return f"{name}_" if name.lower().split(".")[0] in _RESERVED else name or otherwise


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
