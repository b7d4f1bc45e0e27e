"""The folders of this machine that the page may look into: those of the command line, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..cohort.case_folder import SETTINGS
from ..core.errors import InputError

SCANS = (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd", ".dcm", ".ima")
SCENE = ".mrb"
RESULT = "scene.mrb"
MOST_ENTRIES = 500


@dataclass(frozen=True)
class Entry:
    """One line of the file dialog; ``kind`` is folder, result, cohort, scan or scene."""

    name: str
    path: str
    kind: str


@dataclass(frozen=True)
class Listing:
    """A folder's content.

    Attributes:
        parent: the folder above, empty at the top.
        left_out: how many entries are not shown.
    """

    path: str
    parent: str
    entries: tuple[Entry, ...]
    left_out: int = 0


class Folders:
    """Paths inside ``roots`` and no others, links followed.

    Raises:
        InputError: a root is no folder.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        for root in roots:
            if not root.is_dir():
                raise InputError(f"The folder {root} does not exist. Give a folder that holds scans or results.")
        self.roots = tuple(dict.fromkeys(root.resolve() for root in roots))

    def require(self, path: str | Path) -> Path:
        """The real path of a file or folder.

        Raises:
            InputError: it does not exist, or its real place is outside of the roots. One sentence for both, so that
                the page cannot find out what else exists.
        """
        try:
            real = Path(path).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            real = None
        if real is None or not self._holds(real):
            raise InputError(
                f"'{Path(str(path)[:200]).name}' is not in the folders that this page may read. Start "
                "'sure view' with --folder and the folder that holds it."
            )
        return real

    def listing(self, path: str | Path = "") -> Listing:
        """What a folder holds that can be opened; without a path the roots, or the only root's content."""
        if not str(path):
            if len(self.roots) > 1:
                return Listing("", "", tuple(Entry(root.name or str(root), str(root), "folder") for root in self.roots))
            path = self.roots[0]
        folder = self.require(path)
        if not folder.is_dir():
            raise InputError(f"'{folder.name}' is a file. A folder is expected.")
        try:
            found = [entry for child in sorted(folder.iterdir(), key=_order) if (entry := self._entry(child))]
        except OSError:
            raise InputError(f"The folder '{folder.name}' may not be read. Ask for the right to read it.") from None
        top = folder in self.roots
        parent = ("" if len(self.roots) > 1 else str(folder)) if top else str(folder.parent)
        return Listing(
            str(folder),
            "" if top and len(self.roots) == 1 else parent,
            tuple(found[:MOST_ENTRIES]),
            max(0, len(found) - MOST_ENTRIES),
        )

    def is_top(self, path: str) -> bool:
        """Whether there is nothing above a listed folder."""
        return len(self.roots) == 1 and Path(path) == self.roots[0]

    def _holds(self, real: Path) -> bool:
        return any(real == root or root in real.parents for root in self.roots)

    def _entry(self, child: Path) -> Entry | None:
        """None for what cannot be opened: hidden files, other kinds, links that lead out."""
        if child.name.startswith("."):
            return None
        try:
            real = child.resolve(strict=True)
            if not self._holds(real):
                return None
            kind = _kind(real)
        except (OSError, RuntimeError):
            return None
        return Entry(child.name, str(child), kind) if kind else None


def _kind(path: Path) -> str:
    if path.is_dir():
        return "result" if (path / RESULT).is_file() else "cohort" if (path / SETTINGS).is_file() else "folder"
    name = path.name.lower()
    if name.endswith(SCENE):
        return "scene"
    return "scan" if name.endswith(SCANS) else ""


def _order(path: Path) -> tuple[bool, str]:
    return (not path.is_dir(), path.name.lower())
