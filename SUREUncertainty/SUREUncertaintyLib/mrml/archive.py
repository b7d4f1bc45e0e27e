"""Whole scenes in one file: .mrb, as Slicer writes and reads it."""

from __future__ import annotations

import html
import re
import tempfile
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import unquote
from xml.parsers.expat import ExpatError, ParserCreate

import slicer

from ..core.errors import InputError, OutputError
from ..files.locales import decimal_points
from ..files.output_errors import output_error
from .without_messages import quiet_vtk

_LARGEST_CONTENT = 16 << 30
_FILE_NAMES = re.compile(r'\b(?:fileName|fileListMember\w*|uri|uriListMember\w*)\s*=\s*"([^"]*)"', re.IGNORECASE)
"""Attributes by which a scene names files."""


def write_mrb(scene: Any, path: Path) -> None:
    """Write the whole scene to ``path`` (.mrb); whole or not at all.

    Raises:
        InputError: the name does not end in .mrb. OutputError: the file cannot be written, or the disk is full.
    """
    path = Path(path).absolute()  # VTK resolves relative ones against folders of its own
    if path.suffix != ".mrb":
        raise InputError(f"The file name {path.name} must end in .mrb, so that Slicer knows it as a scene.")
    try:
        with tempfile.TemporaryDirectory(prefix=".sure-scene-", dir=path.parent) as folder:
            partial = Path(folder) / path.name
            _write(scene, partial, path)
            _require_whole(partial, path)
            partial.replace(path)
    except OSError as error:
        raise output_error(error, path) from None


class UnreadableScene(OutputError):
    """A scene was written, but in a way that nothing can open."""


def require_readable(path: Path) -> None:
    """Read a scene of a published result back into a scene of its own, outside the desktop application.

    Raises:
        UnreadableScene: it cannot be read, or no result is in it.
    """
    from .headless import HeadlessScene
    from .nodes import all_published

    with HeadlessScene() as again:
        try:
            read_mrb(again.scene, path)
        except InputError as error:
            raise UnreadableScene(str(error)) from error
        if not all_published(again.scene):
            raise UnreadableScene(f"The scene {path.name} holds no result.")


def _require_whole(written: Path, path: Path) -> None:
    """A scene counts as written once its archive is whole, its text is XML and every file that it names is in it.

    Raises ``UnreadableScene``.
    """
    try:
        with zipfile.ZipFile(written) as archive:
            broken = archive.testzip()
            if broken is not None:
                raise ValueError(f"{broken} is damaged")
            members = {PurePosixPath(name) for name in archive.namelist()}
            for scene in (name for name in members if name.suffix == ".mrml"):
                missing = _named_files(archive.read(str(scene)), scene.parent) - members
                if missing:
                    raise ValueError(f"{sorted(missing)[0]} is not in it")
    except (ValueError, zipfile.BadZipFile, ExpatError) as error:
        raise UnreadableScene(
            f"The scene {path.name} was written in a way that cannot be read again ({error}), so it was removed. "
            "Give the scan a plain name (letters and digits) and try again."
        ) from error


def _named_files(scene: bytes, folder: PurePosixPath) -> set[PurePosixPath]:
    """The files that a scene names, as members of its archive. Raises ``ExpatError`` for what is no XML."""
    found: set[PurePosixPath] = set()

    def see(_: str, attributes: dict[str, str]) -> None:
        name = attributes.get("fileName", "")
        if name and "://" not in name:
            found.add(folder / unquote(name))

    parser = ParserCreate()
    parser.StartElementHandler = see
    parser.Parse(scene, True)
    return found


def read_mrb(scene: Any, path: Path) -> None:
    """Add what a scene file holds to ``scene``.

    Raises:
        InputError: the file does not exist, is no scene file, or is damaged.
    """
    path = Path(path).absolute()
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a Slicer scene, or it is damaged. A file made by 'Save as .mrb' is expected.")
    messages = slicer.vtkMRMLMessageCollection()
    with quiet_vtk(), decimal_points():  # what goes wrong is in the messages
        complete = scene.ReadFromMRB(str(path), False, messages)
    if not complete:
        raise InputError(
            f"The scene {path} cannot be read: it is damaged, or made by another version of Slicer. Save it again from "
            "Slicer."
        ) from RuntimeError(_text(messages))


def require_contained(path: Path) -> None:
    """Check a scene file from somebody else: all that it reads lies inside it, and it does not swell when unpacked.

    Raises:
        InputError: a member or a file name that leads out of the archive, or a content of more than 16 GiB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > _LARGEST_CONTENT:
                raise InputError(f"The scene {path.name} unpacks to more than {_LARGEST_CONTENT >> 30} GiB.")
            scenes = [archive.read(member) for member in members if member.filename.endswith(".mrml")]
    except (OSError, zipfile.BadZipFile, RuntimeError):
        raise InputError(f"{path.name} is not a Slicer scene, or it is damaged.") from None
    named = [
        unquote(html.unescape(name)) for text in scenes for name in _FILE_NAMES.findall(text.decode("utf-8", "replace"))
    ]
    if any(_leads_out(name) for name in (*named, *(member.filename for member in members))):
        raise InputError(f"The scene {path.name} refers to files outside of itself, so it is not opened.")


def _leads_out(name: str) -> bool:
    windows = PureWindowsPath(name)
    return "://" in name or bool(windows.drive or windows.root) or ".." in windows.parts


def _write(scene: Any, partial: Path, path: Path) -> None:
    messages = slicer.vtkMRMLMessageCollection()
    url, root = scene.GetURL(), scene.GetRootDirectory()
    try:
        with quiet_vtk(), decimal_points():  # it names every file of the archive; what goes wrong is in the messages
            written = scene.WriteToMRB(str(partial), None, messages)
    finally:
        scene.SetURL(url)
        scene.SetRootDirectory(root)
    if not written or not zipfile.is_zipfile(partial):
        raise output_error(RuntimeError(_text(messages)), path)


def _text(messages: Any) -> str:
    return " ".join(str(messages.GetAllMessagesAsString()).split()) or "no reason was given"
