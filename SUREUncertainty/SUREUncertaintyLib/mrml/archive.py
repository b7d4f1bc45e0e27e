"""Whole scenes in one file: .mrb, as Slicer writes and reads it."""

from __future__ import annotations

import html
import re
import tempfile
import zipfile
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import unquote

import slicer

from ..core.errors import InputError
from ..files.writing import output_error
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
            partial.replace(path)
    except OSError as error:
        raise output_error(error, path) from None


def read_mrb(scene: Any, path: Path) -> None:
    """Add what a scene file holds to ``scene``.

    Raises:
        InputError: the file does not exist, is no scene file, or is damaged.
    """
    path = Path(path).absolute()
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a Slicer scene, or it is damaged. A file made by 'Save as .mrb' is expected.")
    messages = slicer.vtkMRMLMessageCollection()
    with quiet_vtk():  # what goes wrong is in the messages
        complete = scene.ReadFromMRB(str(path), False, messages)
    if not complete:
        raise InputError(f"The scene {path} cannot be read ({_text(messages)}). Save it again from Slicer.")


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
        with quiet_vtk():  # it names every file of the archive; what goes wrong is in the messages
            written = scene.WriteToMRB(str(partial), None, messages)
    finally:
        scene.SetURL(url)
        scene.SetRootDirectory(root)
    if not written or not zipfile.is_zipfile(partial):
        raise output_error(RuntimeError(_text(messages)), path)


def _text(messages: Any) -> str:
    return " ".join(str(messages.GetAllMessagesAsString()).split()) or "no reason was given"
