"""Further images of one patient by name, as a command line gives them: NAME=FILE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..files.reading import read_volume
from .errors import InputError
from .volume import Volume


def read_channels(texts: Sequence[str]) -> dict[str, Volume]:
    """Read every image of ``NAME=FILE``.

    Raises:
        InputError: a text without a name or a file, a name twice, or a file that cannot be read.
    """
    found: dict[str, Volume] = {}
    for text in texts:
        name, _, path = text.partition("=")
        if not name.strip() or not path.strip():
            raise InputError(f"--channel is '{text}'; expected NAME=FILE, such as T2=t2.nii.gz.")
        if name.strip() in found:
            raise InputError(f"The channel '{name.strip()}' is given twice.")
        found[name.strip()] = read_volume(Path(path.strip()))
    return found
