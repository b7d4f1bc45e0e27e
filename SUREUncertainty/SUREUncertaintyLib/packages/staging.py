"""A package folder appears whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import OutputError
from ..files.output_errors import output_error
from .integrity import package_files


@contextmanager
def staged_folder(destination: Path, overwrite: bool = False) -> Iterator[Path]:
    """A hidden sibling of ``destination`` to write into, renamed to it at the end and removed on any error.

    Unlike ``files.writing.OutputFolder`` it adds no file of its own, as a package is sealed with its checksums.

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
        raise output_error(error, destination) from error
    try:
        fresh = holder / "new"
        fresh.mkdir()
        yield fresh
        _swap(fresh, destination, holder / "old")
    except OSError as error:
        raise output_error(error, destination) from error
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def copy_files(source: Path, folder: Path) -> None:
    """Copy the files of a package into an empty folder."""
    for name, path in package_files(source).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)


def _swap(fresh: Path, destination: Path, aside: Path) -> None:
    """Put ``fresh`` in the place of ``destination``; what was there comes back if that fails."""
    was_there = destination.exists()
    if was_there:
        destination.replace(aside)
    try:
        fresh.replace(destination)
    except OSError:
        if was_there:
            aside.replace(destination)
        raise
