"""The scans of a cohort: from a list, or all that a folder holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from ..evaluation.cases import SUFFIXES, Case, read_cases

SLICES = ".dcm"
OUTLINES = ".seg.nrrd"
DUPLICATE = "'{other}' is the file and region of '{id}' again; it is segmented once, as '{id}'."


@dataclass(frozen=True)
class CohortList:
    """The cases to segment, each once, and sentences about what was left out."""

    cases: tuple[Case, ...]
    told: tuple[str, ...] = ()


def read_cohort(path: Path, split: str | None = None) -> CohortList:
    """A case list (``evaluation.cases``), or a folder: every scan in it and below, a folder of DICOM slices as one.

    Raises:
        InputError: the list is wrong, or the folder holds no scan.
    """
    if path.is_dir():
        if split is not None:
            raise InputError("--split chooses from a list of scans; a folder has no splits.")
        return _without_duplicates(_in_folder(path))
    return _without_duplicates(read_cases(path, split))


def _in_folder(folder: Path) -> tuple[Case, ...]:
    root = folder.expanduser().absolute()
    found: dict[Path, None] = {}
    for file in sorted(root.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
        if hidden or not file.is_file() or not file.name.lower().endswith(SUFFIXES):
            continue
        if not file.name.lower().endswith(OUTLINES):
            found[file.parent if file.name.lower().endswith(SLICES) else file] = None
    if not found:
        raise InputError(
            f"The folder {folder} holds no scan ({', '.join(SUFFIXES)}). Check the path, or give a list of scans."
        )
    return tuple(_case(path, root) for path in found)


def _case(path: Path, root: Path) -> Case:
    """Named by its path in the folder, without the suffix: names alone may stand there twice."""
    name = path.relative_to(root).as_posix() if path != root else root.name
    suffix = next((end for end in SUFFIXES if name.lower().endswith(end)), "") if path.is_file() else ""
    identity = name[: len(name) - len(suffix)]
    return Case(path, None, identity, identity)


def _without_duplicates(cases: Sequence[Case]) -> CohortList:
    first: dict[tuple[str, str], Case] = {}
    told = []
    for case in cases:
        key = (str(case.image.resolve()), case.roi)
        if key in first:
            told.append(DUPLICATE.format(id=first[key].id, other=case.id))
        else:
            first[key] = case
    return CohortList(tuple(first.values()), tuple(told))
