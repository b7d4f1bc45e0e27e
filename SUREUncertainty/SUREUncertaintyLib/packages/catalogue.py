"""Which models there are: those that ship with the library, then those in the user's folder."""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import PackageError
from .package import Package, is_package, load_package

BUILT_IN = Path(__file__).resolve().parent.parent / "models"
ENVIRONMENT = "SURE_MODELS"


@dataclass(frozen=True)
class Entry:
    """One folder of the catalogue: a ``package``, or the ``problem`` that keeps it from being one."""

    root: Path
    built_in: bool
    package: Package | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """What ``--model`` takes."""
        return self.root.name


def user_folder() -> Path:
    """Where imported models go: ``SURE_MODELS`` when set, else the platform's folder for application data."""
    if os.environ.get(ENVIRONMENT):
        return Path(os.environ[ENVIRONMENT])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "SUREUncertainty" / "models"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "SUREUncertainty" / "models"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "sure-uncertainty" / "models"


def list_entries() -> tuple[Entry, ...]:
    """Every package folder by name, broken ones too; a built-in model hides a user's model of the same name."""
    entries: dict[str, Entry] = {}
    for folder in (BUILT_IN, user_folder()):
        for root in sorted(folder.iterdir()) if folder.is_dir() else ():
            if is_package(root) and not root.name.startswith("."):
                entries.setdefault(root.name, _entry(root, folder == BUILT_IN))
    return tuple(entries.values())


def list_packages() -> tuple[Package, ...]:
    """The packages whose metadata is in order. Their files are verified when one is found by name, not here."""
    return tuple(entry.package for entry in list_entries() if entry.package is not None)


def find_package(name_or_path: str | Path) -> Package:
    """A verified package by the name of the catalogue, or by its folder.

    Raises:
        PackageError: there is none (the sentence lists those that there are), or it fails its checks.
    """
    return load_package(find_folder(name_or_path))


def find_folder(name_or_path: str | Path) -> Path:
    """The folder of a package, nothing in it checked yet.

    Raises:
        PackageError: there is none; the sentence lists those that there are.
    """
    path = Path(name_or_path)
    if is_package(path):
        return path
    for folder in (BUILT_IN, user_folder()):
        if path.name == str(name_or_path) and is_package(folder / path):
            return folder / path
    raise PackageError(_unknown(str(name_or_path)))


def _entry(root: Path, built_in: bool) -> Entry:
    try:
        return Entry(root, built_in, load_package(root, verify=False))
    except PackageError as error:
        return Entry(root, built_in, problem=str(error))


def _unknown(name: str) -> str:
    names = [entry.name for entry in list_entries()]
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    guess = f" Did you mean '{close[0]}'?" if close else ""
    known = ", ".join(names) if names else "none yet; add one with 'sure models import FOLDER'"
    return f"There is no model '{name}'.{guess} Available: {known}."
