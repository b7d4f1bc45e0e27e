"""TotalSegmentator's networks, where it keeps them on disk, become one package.

Around nnU-Net it turns the scan to RAS, resamples it to one spacing by linear interpolation, cuts the values off to
whole numbers, runs its networks one after the other without mirrors, joins their label maps (the later ones win), and
brings the label map back by the nearest voxel.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from ..nnunet.folder import find_training
from ..nnunet.importing import Training, read_training, write_graph
from ..package_building import write_documents
from ..pipeline import Channel, ChannelNormalisation, Member, Part, Pipeline, Resampling, to_document
from .tasks import STEP, STRUCTURES, Task, find_task

FOLD = "fold_0"
MAPPING = "totalsegmentator_snomed_mapping.csv"
ENDS = Resampling(1, separate_z=False, align="ends")
NEAREST = Resampling(0, separate_z=False, align="ends")
LICENCES = ("LICENSE", "LICENSE.txt", "license.txt")
SAME_SPACING = 1e-6


def import_totalsegmentator(
    source: Path, folder: Path, name: str, progress: Progress = silent, is_cancelled: IsCancelled = never
) -> None:
    """Write a package for the task at ``source`` into an empty folder.

    Raises:
        PackageError: another task, missing parts, or networks that this task does not have.
        Cancelled: ``is_cancelled`` said so.
    """
    task, datasets = find_task(source)
    for inner in ("configs", "models", "docs"):
        (folder / inner).mkdir(exist_ok=True)
    trainings: list[Training] = []
    tests = {}
    for number, dataset in enumerate(datasets):
        raise_if_cancelled(is_cancelled)
        share = part_of(progress, number / len(datasets), (number + 1) / len(datasets), f"{dataset.name}: ")
        training = read_training(find_training(_fold(dataset)), folder, share, is_cancelled, dataset.name)
        _check(training, task, int(task.datasets[number]), trainings)
        tests[training.members[0].name] = write_graph(training, training.members[0], folder)
        (folder / training.members[0].weights).unlink()
        trainings.append(training)
    (folder / "LICENSE").write_text(_licence(datasets), encoding="utf-8", newline="\n")
    document = _document(task, trainings, name, _codes(source))
    write_documents(folder, {**document, "self_test": {"graph_against_network_on_noise": tests}})


def _fold(dataset: Path) -> Path:
    """The fold that TotalSegmentator uses."""
    found = sorted(dataset.glob(f"*__*__3d_fullres/{FOLD}"))
    if not found:
        raise PackageError(f"{dataset.name} has no 3d_fullres/{FOLD}, which TotalSegmentator uses.")
    return found[0]


def _check(training: Training, task: Task, dataset: int, earlier: Sequence[Training]) -> None:
    plan, labels = training.plan, training.labels
    if labels.regions or len(labels.labels) != len(task.values(dataset)):
        raise PackageError(
            f"The network of data set {dataset} has {labels.outputs} outputs, which is not that of '{task.name}'."
        )
    if len(plan.spacing) != 3 or any(abs(mm - task.spacing) > SAME_SPACING for mm in plan.spacing):
        raise PackageError(
            f"The network of data set {dataset} wants {plan.spacing} mm, not {task.spacing:g} mm as '{task.name}'."
        )
    if len(plan.channels) != 1:
        raise PackageError(f"The network of data set {dataset} wants {len(plan.channels)} images; one is expected.")
    first = earlier[0].plan if earlier else plan
    if (plan.patch, plan.transpose) != (first.patch, first.transpose):
        raise PackageError(
            f"The network of data set {dataset} has windows of {plan.patch}, another one of {first.patch}."
        )


def _document(
    task: Task, trainings: Sequence[Training], name: str, codes: Mapping[str, dict[str, list[str]]]
) -> dict[str, Any]:
    plan = trainings[0].plan
    members = tuple(Member(one.members[0].name, one.members[0].graph, "") for one in trainings)
    pairs = zip(task.datasets, trainings, strict=True)
    pipeline = Pipeline(
        orientation="RAS",
        transpose=plan.transpose,
        crop="nonzero",
        order=("resample", "normalise", "crop"),
        spacing=plan.spacing,
        image=replace(ENDS, whole=True),
        logits=ENDS,
        labels=NEAREST,
        read_on="labels",
        step=STEP,
        mirror_axes=(),
        members=members,
        channels=(Channel(plan.channels[0].name, (ChannelNormalisation("none"),)),),
        parts=tuple(
            Part(
                one.members[0].name, tuple(channel.normalisation for channel in one.plan.channels), task.values(number)
            )
            for number, one in pairs
        ),
    )
    labels = [_label(value, structure, codes) for value, structure in enumerate(("background", *STRUCTURES))]
    described = {
        "name": name,
        "version": "1.0.0",
        "task": f"Segmentation of {len(STRUCTURES)} structures of the body ({task.name})",
        "description": "TotalSegmentator's networks; runs as TotalSegmentator does, with this library's own engine.",
        "authors": "not stated",
        "copyright": "not stated",
        "licence": LICENCE,
        "limits": "Its map of uncertainty is that of the network that is least sure at a voxel. Fitted on nothing.",
        "modality": "CT",
        "network": {"name": GRAPH_ONLY, "arguments": {}},
        "head": "softmax",
        "orientation": "RAS",
        "spacing": None,
        "normalisation": {},
        "patch": list(plan.patch),
        "overlap": round(1.0 - STEP, 6),
        "labels": labels,
        "uncertainty": {"primary": "entropy", "kinds": ["entropy"], "threshold": ENTROPY_THRESHOLD},
        "pipeline": to_document(pipeline),
        "source": {"program": "TotalSegmentator", "task": task.name, "data_sets": list(task.datasets)},
    }
    complete = complete_document(described, (1, 1, *plan.patch))
    return {**complete, "weights": None, "graphs": {"main": members[0].graph}}


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
