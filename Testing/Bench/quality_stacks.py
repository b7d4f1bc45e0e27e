"""Scans with labels for the forecasts of the heart and the lung: stacks of the slices that settings were chosen on.

Both packages learned from single slices in one file each; a forecast is about a whole scan. So slices of the tuning
patients are put together again, written as NIfTI into the work folder, and run as any other scan.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from heart_accuracy import PHASES, Patient, acdc_full, sunnybrook_volumes
from numpy.typing import NDArray
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.evaluation.raters import (
    RaterSlice,
    find_rater_files,
    majority,
    read_rater_arrays,
    read_rater_table,
)
from SUREUncertaintyLib.files.reading import read_labels
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.training.masked_slices import read_masked_slices
from SUREUncertaintyLib.training.recipe import load_recipe

HEART, LUNG = "heart-lv-cine", "lung-nodule-ct"
HEART_MM = (1.35, 1.35, 8.0)
"""The data do not tell; the model takes its slices for 1.35 mm, and Sunnybrook's volumes have slices of 8 to 10 mm."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices of one scan in order: images and labels, both (k, j, i)."""

    id: str
    group: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    spacing: tuple[float, float, float]


def stack_cases(model: str, data: Path, work: Path) -> list[Case]:
    """Cases of the tuning patients of a model that learned from slices; files are written once."""
    folder = work / f"stacks-{model}"
    folder.mkdir(parents=True, exist_ok=True)
    return [_written(stack, folder) for stack in {HEART: heart_stacks, LUNG: lung_stacks}[model](data)]


def validation_cases(model: str, data: Path, work: Path) -> list[Case]:
    """Cases of patients that nothing was chosen on; of ACDC's structures the cavity is the one that counts."""
    folder = work / f"validation-{model}"
    folder.mkdir(parents=True, exist_ok=True)
    if model == LUNG:
        return [_written(stack, folder) for stack in nodules(data, lambda entry: entry.split == "val")]
    patients = [*acdc_full(data), *sunnybrook_volumes(data)]
    return [_of_patient(one, phase, folder) for one in patients for phase in (0, 1)]


def heart_stacks(data: Path) -> Iterator[Stack]:
    """Both phases of every tuning patient; every slice shows a cavity, so the ends of the ventricle are known."""
    section = load_recipe(HEART).data
    root, patients = data / section.folder, {str(group) for group in section.tuning_groups}
    arrays = read_masked_slices(root / section.arrays, section.mask_array, section.mask_inset_px)
    with (root / section.table).open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["case"] in patients]
    for patient, phase in sorted({(row["case"], row["phase"]) for row in rows}):
        own = [row for row in rows if (row["case"], row["phase"]) == (patient, phase)]
        places = [int(row["row"]) for row in sorted(own, key=lambda row: int(row["image_number"]))]
        yield Stack(f"{patient} {phase}", patient, arrays.images[places], arrays.marked[places], HEART_MM)


def lung_stacks(data: Path) -> Iterator[Stack]:
    """Every nodule of every tuning patient."""
    patients = {str(group) for group in load_recipe(LUNG).data.tuning_groups}
    return nodules(data, lambda entry: entry.patient in patients)


def nodules(data: Path, wanted: Callable[[RaterSlice], bool]) -> Iterator[Stack]:
    """Nodules with what half of the readers marked; slices at the ends where that is nothing are cut off."""
    archive, table = find_rater_files(data / load_recipe(LUNG).data.folder)
    arrays = read_rater_arrays(archive)
    entries = [one for one in read_rater_table(table, len(arrays.images)) if wanted(one)]
    for lesion in dict.fromkeys(one.lesion for one in entries):
        rows = [one.row for one in sorted(entries, key=lambda one: one.slice) if one.lesion == lesion]
        marked = np.stack([majority(arrays.masks(row)) for row in rows])
        used = np.flatnonzero(marked.any(axis=(1, 2)))
        if used.size:
            part = slice(int(used[0]), int(used[-1]) + 1)
            yield Stack(" ".join(lesion), lesion[0], arrays.images[rows][part], marked[part], (1.0, 1.0, 1.0))


def _of_patient(patient: Patient, phase: int, folder: Path) -> Case:
    """One phase, with the cavity as the only structure of the label."""
    path = folder / f"{patient.id}_{PHASES[phase]}_label.nii.gz"
    if not path.is_file():
        labels = read_labels(patient.labels[phase])
        write_volume(labels.with_array((labels.array == patient.cavity).astype(np.uint8)), path)
    return Case(patient.scans[phase], path, f"{patient.id} {PHASES[phase]}", patient.id, "validation")


def _written(stack: Stack, folder: Path) -> Case:
    """The stack as files, with rows to the back and columns to the left, as such slices are stored."""
    depth, height, width = stack.images.shape
    grid = Grid((depth, height, width), stack.spacing, direction=(-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0))
    paths = [folder / f"{stack.id.replace(' ', '_')}{ending}.nii.gz" for ending in ("", "_label")]
    for path, array in zip(paths, (stack.images, stack.labels), strict=True):
        if not path.is_file():  # a file that is written again would be another case for a run that goes on
            write_volume(Volume(array, grid), path)
    return Case(paths[0], paths[1], stack.id, stack.group, "tuning")
