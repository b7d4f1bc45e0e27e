"""TotalSegmentator's networks, where it keeps them on disk, become one package.

Around nnU-Net it may crop the scan by what another network finds; it turns it to RAS, resamples it to one spacing by
linear interpolation, cuts the values off to whole numbers, runs its networks one after the other without mirrors, joins
their label maps (the later ones win), and brings the label map back by the nearest voxel. ``pipelines`` says all that.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...core.errors import PackageError
from ...core.progress import IsCancelled, Progress, never, part_of, raise_if_cancelled, silent
from ...core.uncertainty_colours import label_colour
from ...nn.registry import GRAPH_ONLY
from ..bundle import complete_document
from ..dicom_table import terminology_of
from ..foreign_texts import LICENCE, LICENCE_TEXT
from ..metadata import ENTROPY_THRESHOLD
from ..nnunet.folder import ResultsFolder, find_training
from ..nnunet.importing import Training, read_training, write_graph
from ..package_building import write_documents
from ..pipeline import CropBy, to_document
from .folders import datasets_beside, find_task, found_datasets
from .pipelines import check_training, crop_by, own_pipeline, structures_of
from .tasks import Task, task_named

MAPPING = "totalsegmentator_snomed_mapping.csv"
LICENCES = ("LICENSE", "LICENSE.txt", "license.txt")
LICENSED = " TotalSegmentator gives these weights under a licence of its own, whose terms hold for this package too."


def import_totalsegmentator(
    source: Path, folder: Path, name: str, progress: Progress = silent, is_cancelled: IsCancelled = never
) -> None:
    """Write a package for the task at ``source`` into an empty folder.

    Raises:
        PackageError: a task that is not done here, missing parts, or networks that this task does not have.
        Cancelled: ``is_cancelled`` said so.
    """
    task, datasets = find_task(source)
    for inner in ("configs", "models", "docs"):
        (folder / inner).mkdir(exist_ok=True)
    reading = _Reading(folder, datasets_beside(source), source, is_cancelled)
    steps = 2 if task.crop else 1
    trainings = reading.read(task, datasets, part_of(progress, 0.0, 1 / steps))
    crop = reading.crop(task, part_of(progress, 1 / steps, 1.0)) if task.crop else None
    (folder / "LICENSE").write_text(_licence(datasets), encoding="utf-8", newline="\n")
    document = _document(task, trainings, crop, name, _codes(source))
    write_documents(folder, {**document, "self_test": {"graph_against_network_on_noise": reading.tests}})


class _Reading:
    """Reads data sets into the package's folder.

    Args:
        there: the data sets' folders beside ``source``, by number.
    """

    def __init__(self, folder: Path, there: Mapping[int, Path], source: Path, is_cancelled: IsCancelled) -> None:
        self._folder, self._there, self._source, self._is_cancelled = folder, there, source, is_cancelled
        self.tests: dict[str, Any] = {}

    def read(self, task: Task, datasets: Sequence[Path], progress: Progress) -> list[Training]:
        """One training a data set, with graphs in the package's folder."""
        found: list[Training] = []
        for number, dataset in enumerate(datasets):
            raise_if_cancelled(self._is_cancelled)
            share = part_of(progress, number / len(datasets), (number + 1) / len(datasets), f"{dataset.name}: ")
            training = read_training(_folds(dataset, task), self._folder, share, self._is_cancelled, dataset.name)
            check_training(training, task, task.datasets[number], found)
            for member in training.members:
                self.tests[member.name] = write_graph(training, member, self._folder)
                (self._folder / member.weights).unlink()
            found.append(training)
        return found

    def crop(self, task: Task, progress: Progress) -> CropBy:
        """The networks that say where a task looks, and those that say where they look."""
        first = task_named(task.crop_task)
        try:
            datasets = found_datasets(first, self._there, self._source)
        except PackageError as error:
            raise PackageError(f"TotalSegmentator's task '{task.name}' crops by another one. {error}") from error
        trainings = self.read(first, datasets, progress)
        before = self.crop(first, progress) if first.crop else None
        return crop_by(task, first, trainings, before)


def _folds(dataset: Path, task: Task) -> ResultsFolder:
    """The folds that TotalSegmentator uses."""
    roots = sorted(dataset.glob(f"*__*__{task.configuration}"))
    wanted = roots[0] if roots and task.every_fold else roots[0] / "fold_0" if roots else None
    if wanted is None or not wanted.is_dir():
        raise PackageError(f"{dataset.name} has no {task.configuration}/fold_0, which TotalSegmentator uses.")
    return find_training(wanted)


def _document(
    task: Task,
    trainings: Sequence[Training],
    crop: CropBy | None,
    name: str,
    codes: Mapping[str, dict[str, list[str]]],
) -> dict[str, Any]:
    plan = trainings[0].plan
    pipeline = own_pipeline(task, trainings, crop)
    structures = structures_of(task, trainings)
    labels = [_label(value, structure, codes) for value, structure in ((0, "background"), *structures)]
    limits = "Its map of uncertainty is that of the network that is least sure at a voxel." if pipeline.parts else ""
    described = {
        "name": name,
        "version": "1.0.0",
        "task": f"Segmentation of {_count(structures)} ({task.name})",
        "description": "TotalSegmentator's networks; runs as TotalSegmentator does, with this library's own engine.",
        "authors": "not stated",
        "copyright": "not stated",
        "licence": f"{LICENCE}{LICENSED if task.licensed else ''}",
        "limits": f"{limits} Fitted on nothing.".strip(),
        "modality": task.modality,
        "network": {"name": GRAPH_ONLY, "arguments": {}},
        "head": "softmax",
        "orientation": "RAS",
        "spacing": None,
        "normalisation": {},
        "patch": list(plan.patch),
        "overlap": round(1.0 - task.step, 6),
        "labels": labels,
        "uncertainty": {"primary": "entropy", "kinds": ["entropy"], "threshold": ENTROPY_THRESHOLD},
        "pipeline": to_document(pipeline),
        "source": {"program": "TotalSegmentator", "task": task.name, "data_sets": list(task.datasets)},
    }
    complete = complete_document(described, (1, 1, *plan.patch))
    return {**complete, "weights": None, "graphs": {"main": pipeline.members[0].graph}}


def _count(structures: Sequence[tuple[int, str]]) -> str:
    names = [name for _, name in structures]
    return f"{len(names)} structures of the body" if len(names) > 8 else ", ".join(names)


def _label(value: int, name: str, codes: Mapping[str, dict[str, list[str]]]) -> dict[str, Any]:
    entry = {"value": value, "name": name, "color": list(label_colour(value)) if value else [0.0, 0.0, 0.0]}
    return {**entry, "terminology": codes[name]} if codes.get(name) else entry


def _codes(source: Path) -> dict[str, dict[str, list[str]]]:
    """SNOMED's codes by structure from TotalSegmentator's own table, beside the networks or where it is installed."""
    program = find_spec("totalsegmentator")
    installed = (
        [] if program is None else [Path(place) / "resources" for place in program.submodule_search_locations or ()]
    )
    places = (source.resolve(), *source.resolve().parents, *installed)
    file = next((place / MAPPING for place in places if (place / MAPPING).is_file()), None)
    if file is None:
        return {}
    with file.open(encoding="utf-8-sig", newline="") as table:
        return {str(row.get("Structure")): terminology_of(row) for row in csv.DictReader(table)}


def _licence(datasets: Sequence[Path]) -> str:
    places = [place for dataset in datasets for place in (dataset, dataset.parent)]
    file = next((place / name for place in places for name in LICENCES if (place / name).is_file()), None)
    return LICENCE_TEXT if file is None else file.read_text(encoding="utf-8", errors="replace")
