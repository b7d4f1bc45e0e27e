"""A training of nnU-Net v2 becomes a package: weights and a graph a fold, the plans as a pipeline, a self-test."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...core.errors import PackageError
from ...core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..bundle import complete_document
from ..foreign_texts import LICENCE, LICENCE_TEXT
from ..metadata import ENTROPY_THRESHOLD
from ..package_building import write_documents
from ..pipeline import Member, Pipeline, to_document
from ..self_test import compare_graph
from .architecture import with_batch_norm
from .checkpoint import CheckpointFacts, convert_nnunet_checkpoint
from .folder import ResultsFolder, find_training
from .labels import LabelPlan, read_labels_of
from .plans import Plan, channel_names, read_plan

STEP = 0.5
"""nnU-Net's own default for the distance between windows."""

SMALLEST_SIDE = 2
"""Voxels that the coarsest level of a network has at least in the self-test: instance normalisation needs several."""

UNREADABLE = "cannot be read as JSON"


@dataclass(frozen=True)
class Training:
    """What was found, read and checked before anything is built."""

    found: ResultsFolder
    labels: LabelPlan
    plan: Plan
    facts: CheckpointFacts
    members: tuple[Member, ...]


def import_nnunet(
    source: Path, folder: Path, name: str, progress: Progress = silent, is_cancelled: IsCancelled = never
) -> None:
    """Write a package for the training at ``source`` into an empty folder.

    Args:
        source: a results folder, the data set's folder around it, or one of its folds.
        folder: where the package is staged; name: of the package.
        progress, is_cancelled: called between the folds' steps.

    Raises:
        PackageError: what is there cannot be run here, or not in the same way; the sentence says why.
        Cancelled: ``is_cancelled`` said so.
    """
    found = find_training(source)
    for inner in ("configs", "models", "docs"):
        (folder / inner).mkdir(exist_ok=True)
    training = read_training(found, folder, progress, is_cancelled)
    tests = {}
    for number, member in enumerate(training.members):
        raise_if_cancelled(is_cancelled)
        progress(0.5 + 0.5 * number / len(training.members), f"{member.name}: writing and testing the graph")
        tests[member.name] = write_graph(training, member, folder)
    (folder / "LICENSE").write_text(LICENCE_TEXT, encoding="utf-8", newline="\n")
    write_documents(folder, _document(training, name, tests))
    progress(1.0, "done")


def read_training(
    found: ResultsFolder, folder: Path, progress: Progress, is_cancelled: IsCancelled, called: str = ""
) -> Training:
    """Read every document and checkpoint; tensors land in ``folder``.

    Args:
        called: a name for the only fold, in the place of its folder's.

    Raises:
        PackageError, Cancelled: as ``import_nnunet``.
    """
    plans, dataset = _json(found.root / "plans.json"), _json(found.root / "dataset.json")
    labels, channels = read_labels_of(dataset), channel_names(dataset)
    if found.configuration:  # refuses a cascade before a large checkpoint is read
        read_plan(plans, found.configuration, channels, labels.outputs)
    facts, members = [], []
    for number, fold in enumerate(found.folds):
        raise_if_cancelled(is_cancelled)
        progress(0.5 * number / len(found.folds), f"{fold.name}: reading the checkpoint")
        name = called or fold.name
        member = Member(name, f"models/{name}.onnx", f"models/{name}.safetensors")
        facts.append(convert_nnunet_checkpoint(found.checkpoint(fold), folder / member.weights))
        members.append(member)
    plan = read_plan(plans, facts[0].configuration, channels, labels.outputs)
    for member, one in zip(members, facts, strict=True):
        _require_same(member, one, facts[0], plan, channels, labels)
    if facts[0].batch_norm and plan.network["arguments"].get("norm") != "batch":
        plan = replace(plan, network=with_batch_norm(plan.network))
    return Training(found, labels, plan, facts[0], tuple(members))


def _require_same(
    member: Member,
    one: CheckpointFacts,
    first: CheckpointFacts,
    plan: Plan,
    channels: Sequence[str],
    labels: LabelPlan,
) -> None:
    """Refuse folds that were trained by other plans than those beside them."""
    if (one.configuration, one.mirror_axes) != (first.configuration, first.mirror_axes):
        raise PackageError(
            f"The folds do not belong together: {member.name} was trained as '{one.configuration}' with mirrors along "
            f"{list(one.mirror_axes)}, another as '{first.configuration}' along {list(first.mirror_axes)}."
        )
    if read_plan(one.plans, one.configuration, channels, labels.outputs) != plan:
        raise PackageError(
            f"The checkpoint of {member.name} was trained by other plans than the plans.json beside it. "
            "Use the folder as nnU-Net wrote it."
        )


def write_graph(training: Training, member: Member, folder: Path) -> dict[str, Any]:
    """The fold's ONNX graph, and how far it is from the network on noise."""
    from ...nn.export import export_onnx
    from ...nn.registry import create_network
    from ..weights import load_weights

    network = create_network(training.plan.network["name"], training.plan.network["arguments"]).eval()
    try:
        load_weights(network, folder / member.weights)
    except PackageError as error:
        raise PackageError(
            f"The weights of {member.name} do not fit the network of plans.json; a trainer of its own may have changed "
            f"it ({training.facts.trainer}). {error}"
        ) from error
    channels = len(training.plan.channels)
    window = _test_window(training.plan)
    export_onnx(network, folder / member.graph, (1, channels, *window))
    return compare_graph(network, folder / member.graph, (1, channels, *window), member.name)


def _test_window(plan: Plan) -> tuple[int, ...]:
    """The smallest window that says something, at most the network's own."""
    strides = plan.network["arguments"]["strides"]
    coarse = [math.prod(stage[axis] for stage in strides) for axis in range(len(plan.patch))]
    if any(size % total for size, total in zip(plan.patch, coarse, strict=True)):
        raise PackageError(f"The window {plan.patch} of plans.json is no multiple of the network's strides {coarse}.")
    return tuple(min(size, SMALLEST_SIDE * total) for size, total in zip(plan.patch, coarse, strict=True))


def _document(training: Training, name: str, tests: Mapping[str, Any]) -> dict[str, Any]:
    plan, found = training.plan, training.found
    first = training.members[0]
    pipeline = Pipeline(
        orientation=plan.orientation,
        transpose=plan.transpose,
        crop="nonzero",
        spacing=plan.spacing,
        image=plan.image,
        logits=plan.logits,
        step=STEP,
        mirror_axes=training.facts.mirror_axes,
        members=training.members,
        channels=plan.channels,
        regions=training.labels.regions,
    )
    structures = ", ".join(str(entry["name"]) for entry in training.labels.labels[1:])
    described = {
        "name": name,
        "version": "1.0.0",
        "task": f"Segmentation of {structures}",
        "description": f"Trained with nnU-Net v2 ({training.facts.trainer}, {plan.configuration}); runs as nnU-Net "
        "does, with this library's own engine.",
        "authors": "not stated",
        "copyright": "not stated",
        "licence": LICENCE,
        "modality": plan.channels[0].name,
        "network": plan.network,
        "head": "softmax",
        "orientation": plan.orientation,
        "spacing": None,
        "normalisation": {},
        "patch": list(plan.patch),
        "overlap": 1.0 - STEP,
        "labels": list(training.labels.labels),
        "uncertainty": {"primary": "entropy", "kinds": ["entropy"], "threshold": ENTROPY_THRESHOLD},
        "pipeline": to_document(pipeline),
        "source": {
            "program": "nnU-Net v2",
            "folder": found.root.name,
            "trainer": training.facts.trainer,
            "configuration": plan.configuration,
            "folds": [member.name for member in training.members],
            "not_taken": list(found.also),
            "unfinished": list(found.unfinished),
            "cascades": list(found.cascades),
        },
        "self_test": {"graph_against_network_on_noise": dict(tests)},
    }
    complete = complete_document(described, (1, len(plan.channels), *plan.patch))
    complete["network_data_format"]["outputs"]["pred"] |= _outputs(training.labels)
    complete["network_data_format"]["inputs"]["image"]["channel_def"] = {
        str(number): channel.name for number, channel in enumerate(plan.channels)
    }
    return {**complete, "weights": first.weights, "graphs": {"main": first.graph}}


def _outputs(labels: LabelPlan) -> dict[str, Any]:
    names = [region.name for region in labels.regions] or [str(entry["name"]) for entry in labels.labels]
    return {"num_channels": len(names), "channel_def": {str(number): name for number, name in enumerate(names)}}


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PackageError(f"The file {path} {UNREADABLE}: {error}.") from error
    if not isinstance(document, dict):
        raise PackageError(f"The file {path} must hold one JSON object {{ }}.")
    return document
