"""Numbers in files have a decimal point, whatever the process was told about its language.

The C library reads ``1.879`` as 1 and writes ``1,879`` where a program, as Slicer and Jupyter on German systems, has
asked for the locale of its user; SimpleITK, VTK and others read and write headers with it.
"""

from __future__ import annotations

import locale
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_LOCK = Lock()
_inside = 0
_before = ""


@contextmanager
def decimal_points() -> Iterator[None]:
    """Numbers with a point inside the block, in every thread of the process; the locale of before comes back."""
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _before
    with _LOCK:
        if not _inside:
            _before = locale.setlocale(locale.LC_NUMERIC)
            locale.setlocale(locale.LC_NUMERIC, "C")
        _inside += 1


def _leave() -> None:
    global _inside
    with _LOCK:
        _inside -= 1
        if not _inside:
            locale.setlocale(locale.LC_NUMERIC, _before)
