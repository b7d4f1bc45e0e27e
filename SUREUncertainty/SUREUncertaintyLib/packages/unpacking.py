"""A model that comes as a zip, unpacked into a folder that goes away again."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..core.errors import PackageError

MOST_BYTES = 32 * 1024**3
MOST_FILES = 20_000
MAC_FOLDER = "__MACOSX"


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder that a model lies in: ``path`` itself, or what a zip holds for as long as the block runs.

    Raises:
        PackageError: the zip is damaged, larger than any model, or wants to write outside of its folder.
    """
    if not path.is_file() or not zipfile.is_zipfile(path) or path.suffix.lower() != ".zip":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path.stem
        target.mkdir()
        try:
            with zipfile.ZipFile(path) as archive:
                _extract(archive, target)
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
            raise PackageError(f"{path.name} cannot be unpacked: {error}.") from error
        yield _inside(target)


def _extract(archive: zipfile.ZipFile, target: Path) -> None:
    entries = archive.infolist()
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise PackageError(f"The archive {archive.filename} is larger than any model.")
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if not parts or parts[0] == "/" or ".." in parts or ":" in entry.filename or kind == stat.S_IFLNK:
            raise PackageError(
                f"The archive {archive.filename} wants to write outside of its folder: {entry.filename}."
            )
        if not entry.is_dir():
            file = target.joinpath(*parts)
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, file.open("wb") as destination:
                shutil.copyfileobj(source, destination)


def _inside(target: Path) -> Path:
    """The only folder in an archive that holds nothing else, or all of it."""
    inside = [path for path in target.iterdir() if path.name != MAC_FOLDER]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else target
