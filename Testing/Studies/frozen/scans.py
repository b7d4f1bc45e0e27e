"""Scans of the study: windows with labels, of patients that are apart, and the disturbed copies that arms are shown."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.fitting.frozen_network import FrozenNetwork
from SUREUncertaintyLib.fitting.judging import LEVELS, damaged, noisy
from SUREUncertaintyLib.fitting.scan_windows import ScanWindow, see, windows_of
from SUREUncertaintyLib.training.recipe import BUILT_IN

from .acdc import acdc_patients

Float32 = NDArray[np.float32]
JUDGED_SHARE = 3
"""Every third tuning patient is for judging settings; heads are fitted on the others."""
SLICES = 3
"""At most, of a scan whose network works slice by slice."""


@dataclass(frozen=True, eq=False)
class StudyScan:
    """One scan with its label, as the network sees it."""

    id: str
    window: ScanWindow


@dataclass(frozen=True)
class Split:
    """Cases that heads are fitted on, and cases that they are judged on; no patient is in both."""

    fitted: tuple[Case, ...]
    judged: tuple[Case, ...]


def study_cases(data: Path, organ: str, split: str) -> Split:
    """``tuning``: two thirds and one third of the tuning patients; ``validation``: all of them, and the validation set.

    The networks were trained on neither.
    """
    tuning, validation = hippocampi(data) if organ == "hippocampus" else acdc_patients(data)
    if split == "validation":
        return Split(tuning, validation)
    judged = set(sorted({case.group for case in tuning}, key=_by_number)[JUDGED_SHARE - 1 :: JUDGED_SHARE])
    return Split(*(tuple(case for case in tuning if (case.group in judged) is wanted) for wanted in (False, True)))


def _by_number(group: str) -> tuple[int, str]:
    return (int(group) if group.isdecimal() else 0, group)


def hippocampi(data: Path) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """Scans of the tuning patients of ``hippocampus-t1-plain`` and of the validation patients."""
    root = data / "msd_hippocampus"
    with (root / "splits.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    recipe = yaml.safe_load((BUILT_IN / "hippocampus-t1-plain.yaml").read_text(encoding="utf-8"))
    groups = {str(group) for group in recipe["data"]["tuning_groups"]}
    tuning = [row for row in rows if row["split"] == "train" and row["subject_group"] in groups]
    return _cases(root, tuning), _cases(root, [row for row in rows if row["split"] == "val"])


def _cases(root: Path, rows: list[dict[str, str]]) -> tuple[Case, ...]:
    return tuple(
        Case(root / "images" / row["file"], root / "labels" / row["file"], row["id"], row["subject_group"])
        for row in rows
    )


def read_scans(cases: tuple[Case, ...], network: FrozenNetwork) -> list[StudyScan]:
    """Each with one window, which holds all of a hippocampus, or with ``SLICES`` slices of a heart.

    Slices in which nobody outlined anything are left out: they have no boundary to look near.
    """
    found = []
    for number, case in enumerate(cases):
        windows = windows_of(see(case, network), network, SLICES, (0, 1, number))
        names = [case.id] if len(windows) == 1 else [f"{case.id} {place}" for place in range(len(windows))]
        both = zip(names, windows, strict=True)
        found += [StudyScan(name, one) for name, one in both if one.label is not None and one.label.any()]
    return found


def shown(scan: StudyScan, seed: int) -> Iterator[tuple[str, Float32]]:
    """The scan and its disturbed copies by name: noise of rising strength, and damage of five kinds."""
    yield "intact", scan.window.image
    for level in LEVELS:
        yield f"noise {level:g}", noisy(scan.window.image, level, seed)
    for number, copy in enumerate(damaged(scan.window, seed)):
        yield f"damage {number}", copy
