"""Training cases: read from a table, brought to the network's orientation and spacing, normalised, kept in memory."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays.normalisation import normalise
from ..core.errors import InputError
from ..core.geometry import crop_grid
from ..core.progress import Progress, silent
from ..core.resampling import model_grid, on_voxels_of, resample
from ..core.volume import Volume
from ..evaluation.raters import RaterArrays, majority, read_rater_arrays
from ..files.reading import read_labels, read_volume
from .folds import held_out_groups
from .masked_slices import MaskedSlices, read_masked_slices
from .recipe import DataSection, InputSection


@dataclass(frozen=True)
class CaseFile:
    """One row of the table: which files, and whose they are. ``row``: a slice inside an npz of readers' marks.

    ``phase`` of the heart: ``ED``, ``ES`` or empty.
    """

    id: str
    group: str
    image: Path
    label: Path
    row: int | None = None
    phase: str = ""


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """A case as the network sees it.

    Attributes:
        image: float32 (k, j, i), normalised; (j, i) for a single slice.
        label: uint8, same shape; what at least half of the readers marked, where there are several.
        spacing: mm along the array's axes; ones for a network that works in pixels.
        readings: (readers, ...) uint8 where several readers marked the same image, else None.
    """

    id: str
    group: str
    image: NDArray[np.float32]
    label: NDArray[np.uint8]
    spacing: tuple[float, ...]
    readings: NDArray[np.uint8] | None = None
    phase: str = ""

    def reading(self, generator: np.random.Generator) -> NDArray[np.uint8]:
        """The label to learn from at one step: a reader's at random, or the only one."""
        if self.readings is None:
            return self.label
        return self.readings[int(generator.integers(len(self.readings)))]


@dataclass(frozen=True)
class CaseFiles:
    """The training split in two parts."""

    training: tuple[CaseFile, ...]
    tuning: tuple[CaseFile, ...]


TUNING = "tuning"
"""Name of the split that settings are chosen on."""

VALIDATION = "validation"
"""Name of the split that a recipe's ``validation_groups`` make."""


def list_cases(section: DataSection, data: Path) -> CaseFiles:
    """The files of the training split without the held-out fold; other splits are never opened.

    Raises:
        InputError: no table, a missing column, or no case of the training split.
    """
    root, rows = _rows(section, data, section.train_split)
    held_out = held_out_groups(rows, section)
    never = held_out | {str(group) for group in section.validation_groups}
    cases = [_case(row, section, root) for row in rows if row.get(section.group_column) not in never]
    held = {str(group) for group in section.tuning_groups}
    tuning = tuple(case for case in cases if case.group in held)
    training = cases if section.use_tuning_cases else [case for case in cases if case.group not in held]
    return CaseFiles(training=tuple(training), tuning=tuning)


def list_held_out(section: DataSection, data: Path, split: str) -> tuple[CaseFile, ...]:
    """The files that a network of this recipe is measured on: the held-out fold, or another split than training's.

    The split ``tuning`` is the recipe's own tuning cases, for choosing between settings; ``validation`` is its own
    ``validation_groups``, where it names any.

    Raises:
        InputError: as ``list_cases``.
    """
    if split == TUNING:
        return list_cases(section, data).tuning
    if split == VALIDATION and section.validation_groups:
        groups = {str(group) for group in section.validation_groups}
        root, rows = _rows(section, data, section.train_split)
        return tuple(_case(row, section, root) for row in rows if row.get(section.group_column) in groups)
    root, rows = _rows(section, data, section.train_split if section.folds else split)
    held_out = held_out_groups(rows, section)
    return tuple(
        _case(row, section, root) for row in rows if not section.folds or row.get(section.group_column) in held_out
    )


def _rows(section: DataSection, data: Path, split: str) -> tuple[Path, list[dict[str, str]]]:
    """The data's folder and the table's rows of one split."""
    root = data / section.folder if section.folder and (data / section.folder).is_dir() else data
    table = root / section.table
    if not table.is_file():
        raise InputError(f"There is no case table {table}. Give the folder that holds {section.table} with --data.")
    with table.open(newline="", encoding="utf-8-sig") as stream:
        rows = [row for row in csv.DictReader(stream) if not split or row.get(section.split_column) == split]
    if not rows:
        raise InputError(f"{table} has no row whose {section.split_column} is '{split}'.")
    return root, rows


def _case(row: dict[str, str], section: DataSection, root: Path) -> CaseFile:
    try:
        image = section.arrays or section.image_pattern.format(**row) or row[section.image_column]
        label = section.label_pattern.format(**row) or row.get(section.label_column) or image
        identity = section.id_pattern.format(**row) or row.get(section.id_column) or Path(image).name.split(".")[0]
        group = row.get(section.group_column) or identity
        if section.arrays:
            archive = root / section.arrays
            phase = row[section.phase_column] if section.phase_column else ""
            return CaseFile(identity, group, archive, archive, int(row[section.row_column]), phase)
    except KeyError as error:
        raise InputError(f"The case table lacks the column {error}.") from error
    return CaseFile(identity, group, root / section.image_folder / image, root / section.label_folder / label)


def load_cases(
    files: Sequence[CaseFile], section: InputSection, progress: Progress = silent, data: DataSection | None = None
) -> list[TrainingCase]:
    """Read and prepare every case exactly as inference prepares a scan.

    Args:
        data: which label values are classes and how a case is cut; values are classes and nothing is cut when None.
    """
    masked = data if data is not None and data.mask_array else None
    read = (
        read_rater_arrays
        if masked is None
        else partial(read_masked_slices, mask=masked.mask_array, inset_px=masked.mask_inset_px)
    )
    archives = {path: read(path) for path in {file.image for file in files if file.row is not None}}
    cases = []
    for number, file in enumerate(files):
        progress(number / len(files), f"reading {file.image.name}")
        if file.image in archives:
            cases.append(prepare_slice(file, archives[file.image], section))
        else:
            image, label = read_volume(file.image), read_labels(file.label)
            label = on_voxels_of(label, image.grid) or label
            if data is not None:
                image, label = cut_to_structures(image, with_classes(label, data.label_values), data.crop_margin_mm)
            whole = prepare(file, image, label, section)
            cases += slices_of(whole) if len(section.patch) == 2 else [whole]
    return cases


def with_classes(label: Volume, values: Sequence[int]) -> Volume:
    """The label map with ``values`` as classes 1, 2, ...; unchanged without values."""
    if not values:
        return label
    classes = np.zeros(label.grid.shape, np.uint8)
    for number, value in enumerate(values, 1):
        classes[label.array == value] = number
    return label.with_array(classes)


def cut_to_structures(image: Volume, label: Volume, margin_mm: float) -> tuple[Volume, Volume]:
    """Scan and label map in the box around all structures with a margin; unchanged where that is 0 or nothing is
    labelled, or where the grids differ (``prepare`` says so)."""
    used = np.argwhere(label.array != 0)
    if not margin_mm or not used.size or not label.grid.matches(image.grid):
        return image, label
    reach = np.ceil(margin_mm / np.asarray(label.grid.spacing_kji)).astype(int)
    low = np.maximum(used.min(axis=0) - reach, 0)
    high = np.minimum(used.max(axis=0) + 1 + reach, label.grid.shape)
    k, j, i = (slice(int(first), int(last)) for first, last in zip(low, high, strict=True))
    size = (i.stop - i.start, j.stop - j.start, k.stop - k.start)
    grid = crop_grid(image.grid, (i.start, j.start, k.start), size)
    cut_image = replace(image, array=image.array[k, j, i], grid=grid)
    return cut_image, replace(label, array=label.array[k, j, i], grid=grid)


def prepare(file: CaseFile, image: Volume, label: Volume, section: InputSection) -> TrainingCase:
    """One case on the model's grid.

    Raises:
        InputError: the label lies on another grid than the image.
    """
    if not label.grid.matches(image.grid):
        raise InputError(f"The label {file.label} lies on another grid than its image; resample one of them first.")
    grid = model_grid(image.grid, section.orientation, section.spacing)
    resampled = resample(image, grid, "linear")
    labels = resample(label, grid, "nearest")
    return TrainingCase(
        id=file.id,
        group=file.group,
        image=normalise(resampled.array, section.normalisation),
        label=np.ascontiguousarray(labels.array, dtype=np.uint8),
        spacing=grid.spacing_kji if section.spacing is not None else (1.0, 1.0, 1.0),
    )


def slices_of(case: TrainingCase) -> list[TrainingCase]:
    """Every plane of a volume as a case of its own, for a network that works slice by slice."""
    planes = zip(case.image, case.label, strict=True)
    return [replace(case, image=image, label=label, spacing=case.spacing[1:]) for image, label in planes]


def prepare_slice(file: CaseFile, arrays: RaterArrays | MaskedSlices, section: InputSection) -> TrainingCase:
    """One slice of an npz with every reader's marks.

    Raises:
        InputError: the row does not exist.
    """
    if file.row is None or not 0 <= file.row < len(arrays.images):
        raise InputError(f"{file.image} has no slice {file.row}; it holds {len(arrays.images)}.")
    masks = arrays.masks(file.row)
    side = section.spacing[0] if section.spacing is not None else 1.0
    return TrainingCase(
        id=file.id,
        group=file.group,
        image=normalise(arrays.images[file.row][np.newaxis], section.normalisation)[0],
        label=majority(masks),
        spacing=(side, side),
        readings=masks if len(masks) > 1 else None,
        phase=file.phase,
    )
