"""The scans that a head is fitted on: those of a folder or of a table, with labels where there are some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..core.errors import InputError
from ..evaluation.cases import Case, read_cases
from ..training.own_cases import image_files, plain_stem
from .settings import LEAST_SCANS

FIRST_CHANNEL = "_0000"
"""nnU-Net's ending of the first channel of an image; the second has ``_0001``."""

TOO_FEW = (
    "sure fit needs at least {least} scans, since some of them are set aside to judge the result; {found}. "
    "Put more scans of the same kind there; no labels are needed."
)


def list_scans(source: Path, channels: Sequence[str], labels: Path | None = None) -> tuple[Case, ...]:
    """Scans of a folder, or of a table as ``sure evaluate`` reads it.

    In a folder every image file and every folder of DICOM files is a scan. For a model with several channels files are
    named as nnU-Net names them: ``NAME_0000``, ``NAME_0001``, ...

    Args:
        channels: names of the model's channels, the scan first.
        labels: a folder with label maps of the same names, for as many scans as there are.

    Raises:
        InputError: the folder does not exist, cannot be read, or holds fewer than five scans.
    """
    cases = read_cases(source) if source.is_file() else _of_folder(source, channels)
    if len(cases) < LEAST_SCANS:
        count = "there is none" if not cases else f"{len(cases)} {'is' if len(cases) == 1 else 'are'} there"
        raise InputError(TOO_FEW.format(least=LEAST_SCANS, found=f"in {source} {count}"))
    return cases if labels is None else _with_labels(cases, labels)


def _of_folder(folder: Path, channels: Sequence[str]) -> tuple[Case, ...]:
    found_there = dict(_entries(folder, "scans"))
    # scan1_seg beside scan1 is its label map, no scan
    files = {stem: path for stem, path in found_there.items() if not _is_label(stem, found_there)}
    if len(channels) < 2:
        return tuple(_case(stem.removesuffix(FIRST_CHANNEL), path) for stem, path in files.items())
    found = []
    for stem, path in files.items():
        if not stem.endswith(FIRST_CHANNEL):
            continue
        name = stem.removesuffix(FIRST_CHANNEL)
        others = [(channel, files.get(f"{name}_{n:04d}")) for n, channel in enumerate(channels[1:], 1)]
        there = tuple((channel, other) for channel, other in others if other is not None)
        found.append(replace(_case(name, path), channels=there))
    return tuple(found)


def _is_label(stem: str, files: Mapping[str, Path]) -> bool:
    """Whether a file is named after another one, as label maps are."""
    return plain_stem(stem) != stem and plain_stem(stem) in files


def _case(name: str, path: Path) -> Case:
    return Case(path.absolute(), None, name, name)


def _entries(folder: Path, what: str) -> list[tuple[str, Path]]:
    """Image files and folders of a folder by name."""
    if not folder.is_dir():
        raise InputError(f"The folder {folder} does not exist. Give the folder of your {what}, or a table of them.")
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        return [*image_files(folder), *((path.name, path) for path in inside)]
    except PermissionError as error:
        raise InputError(
            f"You have no permission to read the folder {folder}. Ask for it, or copy your {what} to a folder of yours."
        ) from error


def _with_labels(cases: Sequence[Case], labels: Path) -> tuple[Case, ...]:
    known = {plain_stem(stem): path.absolute() for stem, path in _entries(labels, "labels")}
    found = tuple(replace(case, label=known.get(case.id, case.label)) for case in cases)
    if not any(case.label for case in found):
        names = ", ".join(list(known)[:3]) or "none"
        raise InputError(
            f"No label in {labels} has the name of a scan (labels: {names}; scans: {cases[0].id}, ...). Name each "
            "label as its scan, or leave out --labels."
        )
    return found
