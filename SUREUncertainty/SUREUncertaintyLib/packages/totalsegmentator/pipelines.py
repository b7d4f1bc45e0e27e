"""What TotalSegmentator does around nnU-Net, task by task, as a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...core.errors import PackageError
from ..nnunet.importing import Training
from ..pipeline import Channel, ChannelNormalisation, CropBy, LargestParts, Part, Pipeline, Resampling
from .structures import PARTS, STRUCTURES
from .tasks import Task

ENDS = Resampling(1, separate_z=False, align="ends")
NEAREST = Resampling(0, separate_z=False, align="ends")
SAME_SPACING = 1e-5
BODY = (
    LargestParts((1,), together=False, connectivity=1, count=1, grid="network"),
    LargestParts((2,), together=False, connectivity=1, count=0, grid="network", above_mm3=50_000.0),
)
"""Of the task ``body``: the largest trunk stays, and of the limbs what is larger than 50 ml."""


def own_pipeline(task: Task, trainings: Sequence[Training], crop: CropBy | None) -> Pipeline:
    """How a task segments. With several networks, or structures that are taken away, in parts."""
    if len(trainings) > 1 or task.hidden or task.family == "total":
        return replace(_in_parts(task, trainings), crop_by=crop)
    plan, labels = trainings[0].plan, trainings[0].labels
    pipeline = replace(_around(task, trainings), channels=plan.channels, regions=labels.regions, crop_by=crop)
    if not task.spacing:
        return replace(pipeline, order=("crop", "normalise", "resample"), image=plan.image, logits=plan.logits)
    pipeline = replace(pipeline, order=("resample", "crop", "normalise"), read_on="labels")
    return replace(pipeline, postprocessing=BODY) if task.family == "body" else pipeline


def crop_by(task: Task, first: Task, trainings: Sequence[Training], before: CropBy | None) -> CropBy:
    """Where ``task`` looks, by the networks of ``first``. Raises ``PackageError`` for structures that they lack."""
    pipeline = replace(_in_parts(first, trainings), crop_by=before)
    pipeline = replace(pipeline, postprocessing=BODY) if first.family == "body" else pipeline
    values = {name: value for value, name in structures_of(first, trainings)}
    unknown = [name for name in task.crop if name not in values]
    if unknown:
        raise PackageError(
            f"TotalSegmentator's task '{task.name}' crops by '{unknown[0]}', which the network of '{first.name}' in "
            "this folder does not find."
        )
    patch = trainings[0].plan.patch
    return CropBy(pipeline, patch, task.crop, tuple(values[name] for name in task.crop), task.margin_mm)


def structures_of(task: Task, trainings: Sequence[Training]) -> list[tuple[int, str]]:
    """Values and names of a task's label map; those of one data set follow those of the other."""
    if task.family == "total":
        return list(enumerate(STRUCTURES, 1))
    found: list[tuple[int, str]] = []
    for training in trainings:
        first = found[-1][0] if found else 0
        entries = [entry for entry in training.labels.labels[1:] if str(entry["name"]) not in task.hidden]
        found += [(first + int(entry["value"]), str(entry["name"])) for entry in entries]
    return found


def check_training(training: Training, task: Task, dataset: int, earlier: Sequence[Training]) -> None:
    """Refuse a network that is not the one that the task has."""
    plan, labels = training.plan, training.labels
    expected = len(PARTS.get(dataset, STRUCTURES)) + 1 if task.family == "total" else len(labels.labels)
    if labels.regions or len(labels.labels) != expected:
        raise PackageError(
            f"The network of data set {dataset} has {labels.outputs} outputs, which is not that of '{task.name}'."
        )
    wanted = [task.spacing[::-1][axis] for axis in plan.transpose] if task.spacing else list(plan.spacing)
    if len(plan.spacing) != 3 or any(
        abs(mm - own) > SAME_SPACING for mm, own in zip(plan.spacing, wanted, strict=True)
    ):
        raise PackageError(
            f"The network of data set {dataset} wants {plan.spacing} mm, not {' x '.join(map('{:g}'.format, wanted))} "
            f"mm as '{task.name}'."
        )
    if len(plan.channels) != 1:
        raise PackageError(f"The network of data set {dataset} wants {len(plan.channels)} images; one is expected.")
    first = earlier[0].plan if earlier else plan
    if (plan.patch, plan.transpose) != (first.patch, first.transpose):
        raise PackageError(
            f"The network of data set {dataset} has windows of {plan.patch}, another one of {first.patch}."
        )


def _around(task: Task, trainings: Sequence[Training]) -> Pipeline:
    """What all tasks have in common."""
    plan = trainings[0].plan
    return Pipeline(
        orientation="RAS",
        transpose=plan.transpose,
        crop="nonzero",
        spacing=plan.spacing,
        image=replace(ENDS, whole=True),
        logits=ENDS,
        labels=NEAREST,
        step=task.step,
        mirror_axes=(),
        members=tuple(replace(member, weights="") for one in trainings for member in one.members),
        channels=(),
    )


def _in_parts(task: Task, trainings: Sequence[Training]) -> Pipeline:
    """Networks that find different structures; their label maps are joined on the network's grid."""
    plan = trainings[0].plan
    if not task.spacing or any(len(one.members) > 1 for one in trainings):
        raise PackageError(f"TotalSegmentator's task '{task.name}' has several folds a network, which are not joined.")
    parts, first = [], 0
    for one in trainings:
        values = [int(entry["value"]) for entry in one.labels.labels]
        hidden = [str(entry["name"]) in task.hidden for entry in one.labels.labels]
        shown = [0 if gone or not value else first + value for value, gone in zip(values, hidden, strict=True)]
        normalisation = tuple(channel.normalisation for channel in one.plan.channels)
        parts.append(Part(one.members[0].name, normalisation, tuple(shown)))
        first = max(shown)
    return replace(
        _around(task, trainings),
        order=("resample", "normalise", "crop"),
        read_on="labels",
        channels=(Channel(plan.channels[0].name, (ChannelNormalisation("none"),)),),
        parts=tuple(parts),
    )
