"""A package folder appears whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import OutputError


@contextmanager
def staged_folder(destination: Path, overwrite: bool = False) -> Iterator[Path]:
    """A hidden sibling of ``destination`` to write into, renamed to it at the end and removed on any error.

    Args:
        destination: the folder to make.
        overwrite: an existing folder is replaced, in the last moment.

    Raises:
        OutputError: the folder exists already, or it cannot be written.
    """
    if destination.exists() and not overwrite:
        raise OutputError(f"{destination} exists already. Choose another name, or remove it first.")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        holder = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))
    except OSError as error:
        raise OutputError(f"The folder {destination.parent} cannot be written: {error}") from error
    try:
        fresh = holder / "new"
        fresh.mkdir()
        yield fresh
        if destination.exists():
            destination.replace(holder / "old")
        fresh.replace(destination)
    except OSError as error:
        raise OutputError(f"The model package {destination} could not be written: {error}") from error
    finally:
        shutil.rmtree(holder, ignore_errors=True)
