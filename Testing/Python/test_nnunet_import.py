"""Import of nnU-Net v2: what a person points at, what is read, and what is refused in words, whole or not at all."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import assert_nothing_came_in
from needed_torch import torch
from nnunet_folders import (
    FINAL,
    change_plans,
    change_top,
    checkpoint_of,
    old_plans,
    read_made,
    weights_of,
    with_second_names,
    write_training,
)
from SUREUncertaintyLib.cli.app import app
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.nnunet.checkpoint import convert_nnunet_checkpoint
from SUREUncertaintyLib.packages.nnunet.labels import read_labels_of
from SUREUncertaintyLib.packages.pipeline import Pipeline
from SUREUncertaintyLib.packages.weights import load_network
from typer.testing import CliRunner

pytestmark = pytest.mark.usefixtures("user_models")


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.marker),))


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """A results folder with two folds."""
    return write_training(tmp_path / "results", "plain", folds=2)


def pipeline_of(root: Path) -> Pipeline:
    pipeline = import_package(root).metadata.pipeline
    assert pipeline is not None
    return pipeline


def rewrite(root: Path, change: Callable[[dict[str, Any]], None], fold: int = 0) -> None:
    """Change a checkpoint's content."""
    content = checkpoint_of("plain", fold)
    change(content)
    torch.save(content, root / f"fold_{fold}" / FINAL)


def test_a_results_folder_comes_in_with_all_its_folds(training: Path) -> None:
    package = import_package(training)
    pipeline = package.metadata.pipeline
    assert package.name == training.parent.name
    assert pipeline is not None
    assert [member.name for member in pipeline.members] == ["fold_0", "fold_1"]
    assert pipeline.mirror_axes == tuple(read_made("plain")["mirror_axes"]) == (0, 1, 2)
    assert len(pipeline.mirrorings) == 8
    assert [(label.value, label.name) for label in package.metadata.labels] == [
        (0, "background"),
        (1, "shell"),
        (2, "core"),
    ]
    assert package.metadata.raw["licence"] == "as stated by its makers, unknown to us"
    tests = package.metadata.raw["self_test"]["graph_against_network_on_noise"]
    assert set(tests) == {"fold_0", "fold_1"}
    assert all(0 < test["largest_difference"] < 1e-3 * max(1, test["largest_output"]) for test in tests.values())


def test_the_packed_weights_are_those_of_the_checkpoint_and_nothing_is_a_pickle(training: Path) -> None:
    package = import_package(training)
    found = load_network(package).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in weights_of("plain").items())
    assert not [path for path in package.root.rglob("*") if path.suffix in (".pth", ".pt", ".pkl")]


@pytest.mark.parametrize("place", ["data set", "fold", "checkpoint_best"])
def test_a_data_set_folder_or_one_fold_will_do(place: str, training: Path) -> None:
    if place == "checkpoint_best":
        for fold in training.glob("fold_*"):
            (fold / FINAL).rename(fold / "checkpoint_best.pth")
    pointed = {"data set": training.parent, "fold": training / "fold_1", "checkpoint_best": training}[place]
    names = [member.name for member in pipeline_of(pointed).members]
    assert names == (["fold_1"] if place == "fold" else ["fold_0", "fold_1"])


def test_plans_that_name_batch_normalisation_keep_its_eps(training: Path) -> None:
    plans = json.loads((training / "plans.json").read_text(encoding="utf-8"))
    architecture = plans["configurations"]["3d_fullres"]["architecture"]
    architecture["arch_kwargs"] |= {
        "norm_op": "torch.nn.modules.batchnorm.BatchNorm3d",
        "norm_op_kwargs": {"eps": 1e-3, "affine": True},
    }
    plain = import_package(training / "fold_0", "plain").metadata
    network = create_network(plain.network, {**plain.network_arguments, "norm": "batch"})
    change_plans(training, architecture=architecture)
    file = training / "fold_0" / FINAL
    content = torch.load(file, weights_only=False)
    torch.save(content | {"network_weights": with_second_names(dict(network.state_dict()))}, file)
    arguments = import_package(training / "fold_0", "batch").metadata.network_arguments
    assert (arguments["norm"], arguments["eps"]) == ("batch", 1e-3)


def test_a_trainer_with_batch_normalisation_comes_in_with_what_it_learned(training: Path) -> None:
    """Its plans say instance normalisation, as nnU-Net writes them; the tensors tell."""
    plain = import_package(training / "fold_0", "plain").metadata
    network = create_network(plain.network, {**plain.network_arguments, "norm": "batch"})
    for name, tensor in network.state_dict().items():
        if "running" in name:
            tensor.copy_(1.0 + torch.rand(tensor.shape))
    weights = with_second_names(dict(network.state_dict()))
    rewrite(training, lambda content: content.update(network_weights=weights, trainer_name="nnUNetTrainerBN"))
    package = import_package(training / "fold_0", "batch")
    assert package.metadata.network_arguments["norm"] == "batch"
    image = torch.randn(1, 1, *package.metadata.patch)
    with torch.no_grad():
        assert torch.equal(load_network(package)(image), network.eval()(image))
    test = package.metadata.raw["self_test"]["graph_against_network_on_noise"]["fold_0"]
    assert 0 < test["largest_difference"] < 1e-3 * max(1, test["largest_output"])


def test_of_several_trainings_the_full_resolution_is_taken_and_the_others_are_named(training: Path) -> None:
    other = training.with_name(training.name.replace("3d_fullres", "2d"))
    shutil.copytree(training, other)
    source = import_package(training.parent).metadata.raw["source"]
    assert (source["folder"], source["not_taken"]) == (training.name, [other.name])


def test_what_was_left_out_is_said(training: Path) -> None:
    shutil.copytree(training, training.with_name(training.name.replace("3d_fullres", "2d")))
    shutil.copytree(training, training.with_name(training.name.replace("3d_fullres", "3d_cascade_fullres")))
    (training / "fold_1" / FINAL).unlink()
    outcome = CliRunner().invoke(app, ["models", "import", str(training.parent)])
    assert outcome.exit_code == 0, outcome.output
    assert "no checkpoint: fold_1." in outcome.stdout
    assert "own folder: nnUNetTrainer_5epochs__nnUNetPlans__2d.\n" in outcome.stdout
    assert "second stage of a cascade is not supported: " in outcome.stdout
    assert "__3d_cascade_fullres." in outcome.stdout


def test_old_plans_say_the_same(training: Path) -> None:
    new = import_package(training, "new").metadata
    plans = json.loads((training / "plans.json").read_text(encoding="utf-8"))
    (training / "plans.json").write_text(json.dumps(old_plans(plans, "3d_fullres")), encoding="utf-8")
    old = import_package(training, "old").metadata
    assert (old.network, old.network_arguments, old.pipeline) == (new.network, new.network_arguments, new.pipeline)


def test_plans_with_an_inherited_configuration_are_resolved(training: Path) -> None:
    def inherit(content: dict[str, Any]) -> None:
        configurations = content["configurations"]
        configurations["base"] = configurations.pop("3d_fullres")
        configurations["3d_fullres"] = {"inherits_from": "base", "batch_size": 9}

    plans = json.loads((training / "plans.json").read_text(encoding="utf-8"))
    inherit(plans)
    (training / "plans.json").write_text(json.dumps(plans), encoding="utf-8")
    assert pipeline_of(training).spacing == (1.0, 1.0, 1.0)


def test_the_plans_steps_become_the_packages_fields(tmp_path: Path) -> None:
    metadata = import_package(write_training(tmp_path, "regions")).metadata
    pipeline = metadata.pipeline
    assert pipeline is not None
    assert metadata.network == "nnunet_residual"
    assert pipeline.transpose == (2, 0, 1)
    assert [(channel.name, channel.normalisation[0].kind) for channel in pipeline.channels] == [
        ("MRI", "zscore"),
        ("CT", "ct"),
    ]
    assert pipeline.channels[0].normalisation[0].masked
    assert [(region.name, region.value) for region in pipeline.regions] == [("body", 1), ("core", 2)]
    assert [(label.value, label.name) for label in metadata.foreground] == [(1, "body without core"), (2, "core")]
    assert (pipeline.image.order, pipeline.logits.order, pipeline.image.separate_z) == (3, 1, None)


def test_a_region_is_named_by_the_widest_that_paint_over_it() -> None:
    nested = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "inner": [3]}
    labels = read_labels_of({"labels": nested, "regions_class_order": [1, 2, 3]}).labels
    assert [label["name"] for label in labels] == ["background", "whole without core", "core without inner", "inner"]


def test_numpy_scalars_are_never_built(training: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from SUREUncertaintyLib.packages.nnunet.checkpoint import Nothing, load_checkpoint

    content = load_checkpoint(training / "fold_0" / FINAL)
    assert isinstance(content["_best_ema"], Nothing)
    assert isinstance(content["logging"]["dice_per_class_or_region"][0][0], Nothing)
    facts = convert_nnunet_checkpoint(training / "fold_0" / FINAL, tmp_path / "weights.safetensors")
    assert (facts.configuration, facts.mirror_axes) == ("3d_fullres", (0, 1, 2))


@pytest.mark.parametrize("where", ["top", "logging", "weights"])
def test_code_in_a_checkpoint_is_refused_by_name_and_never_runs(
    where: str, training: Path, tmp_path: Path, user_models: Path
) -> None:
    marker = tmp_path / "it ran"

    def poison(content: dict[str, Any]) -> None:
        place = {"top": content, "logging": content["logging"], "weights": content["network_weights"]}[where]
        place["extra"] = Payload(marker)

    rewrite(training, poison)
    with pytest.raises(PackageError, match=r"checkpoint_final\.pth.*Python objects beside tensors.*mkdir"):
        import_package(training)
    assert not marker.exists()
    assert_nothing_came_in(user_models)


@pytest.mark.parametrize("content", [np.ones(3), Path("x"), torch.nn.Linear(1, 1)], ids=["array", "path", "module"])
def test_any_other_object_is_refused(content: object, training: Path, user_models: Path) -> None:
    rewrite(training, lambda checkpoint: checkpoint.update(extra=content))
    with pytest.raises(PackageError, match="Python objects beside tensors"):
        import_package(training)
    assert_nothing_came_in(user_models)


def test_a_plain_pickle_is_refused_as_well(training: Path, tmp_path: Path, user_models: Path) -> None:
    marker = tmp_path / "it ran"
    content = {**checkpoint_of("plain"), "network_weights": {}, "extra": Payload(marker)}
    (training / "fold_0" / FINAL).write_bytes(pickle.dumps(content))
    with pytest.raises(PackageError, match=r"checkpoint_final\.pth cannot be converted"):
        import_package(training)
    assert not marker.exists()
    assert_nothing_came_in(user_models)


def test_low_resolution_with_a_next_stage_comes_in(training: Path) -> None:
    low = training.rename(training.with_name(training.name.replace("3d_fullres", "3d_lowres")))

    def rename(plans: dict[str, Any]) -> None:
        plans["configurations"]["3d_lowres"] = {
            **plans["configurations"].pop("3d_fullres"),
            "next_stage": "3d_cascade_fullres",
        }

    plans = json.loads((low / "plans.json").read_text(encoding="utf-8"))
    rename(plans)
    (low / "plans.json").write_text(json.dumps(plans), encoding="utf-8")

    def change(content: dict[str, Any]) -> None:
        rename(content["init_args"]["plans"])
        content["init_args"]["configuration"] = "3d_lowres"

    for fold in (0, 1):
        rewrite(low, change, fold)
    assert import_package(low.parent).metadata.raw["source"]["configuration"] == "3d_lowres"


def _truncated(root: Path) -> None:
    file = root / "fold_1" / FINAL
    file.write_bytes(file.read_bytes()[:5000])


def _drop_folds(root: Path) -> None:
    for fold in root.glob("fold_*"):
        (fold / FINAL).unlink()


def _foreign(root: Path) -> None:
    torch.save({"state_dict": weights_of("plain")}, root / "fold_0" / FINAL)


def _other_width(root: Path) -> None:
    weights = {name: tensor[:1] for name, tensor in weights_of("plain").items()}
    rewrite(root, lambda content: content.update(network_weights=with_second_names(weights)))


def _contradiction(root: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        weights = content["network_weights"]
        name = next(name for name in weights if name.startswith("decoder.encoder.") and name.endswith("weight"))
        weights[name] = weights[name] + 1

    rewrite(root, change)


def _mixed_plans(root: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["init_args"]["plans"]["configurations"]["3d_fullres"]["spacing"] = [1.0, 1.0, 2.0]

    rewrite(root, change, fold=1)


def _other_mirrors(root: Path) -> None:
    rewrite(root, lambda content: content.update(inference_allowed_mirroring_axes=(0,)), fold=1)


def _not_a_number(root: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        next(iter(content["network_weights"].values())).view(-1)[0] = float("nan")

    rewrite(root, change)


def _without(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def _dataset(**changes: Any) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        document = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
        (root / "dataset.json").write_text(json.dumps({**document, **changes}), encoding="utf-8")

    return apply


def _plans(**changes: Any) -> Callable[[Path], None]:
    return lambda root: change_plans(root, **changes)


def _top(**changes: Any) -> Callable[[Path], None]:
    return lambda root: change_top(root, **changes)


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "no folds": (_drop_folds, "no fold with a checkpoint"),
    "no plans": (_without("plans.json"), r"no model package|no plans\.json"),
    "truncated": (_truncated, r"checkpoint_final\.pth cannot be converted"),
    "foreign": (_foreign, "no nnU-Net v2 checkpoint: it has no 'network_weights'"),
    "other network": (_other_width, "weights of fold_0 do not fit the network of plans.json"),
    "contradiction": (_contradiction, "differs from the one that it should repeat"),
    "mixed plans": (_mixed_plans, "fold_1 was trained by other plans"),
    "other mirrors": (_other_mirrors, "folds do not belong together"),
    "not a number": (_not_a_number, "values that are no numbers"),
    "two channels": (_dataset(channel_names={"0": "A", "1": "B"}), "normalises 1 channels, but dataset.json names 2"),
    "no labels": (_dataset(labels={"background": 1}), "names no 'labels'"),
    "gap in labels": (_dataset(labels={"background": 0, "a": 1, "b": 3}), "without gaps"),
    "regions without order": (_dataset(labels={"background": 0, "a": [1, 2], "b": 2}), "regions_class_order"),
    "cascade": (_plans(previous_stage="3d_lowres"), "second half of a cascade"),
    "preprocessor": (_plans(preprocessor_name="MyPreprocessor"), "preprocessor_name.*MyPreprocessor"),
    "resampling": (_plans(resampling_fn_data="resample_torch_fornnunet"), "resample_torch_fornnunet"),
    "resampling option": (
        _plans(resampling_fn_data_kwargs={"is_seg": False, "order": 3, "memefficient": True}),
        "memefficient",
    ),
    "normalisation": (_plans(normalization_schemes=["MyNormalization"]), "MyNormalization"),
    "window": (_plans(patch_size=[16, 16, 18]), "no multiple of the network's strides"),
    "pictures": (_top(image_reader_writer="NaturalImage2DIO"), "pictures without a voxel size.*NaturalImage2DIO"),
    "reader": (_top(image_reader_writer="MyReader"), "image_reader_writer.*MyReader"),
    "label manager": (_top(label_manager="MyLabels"), "MyLabels"),
    "transpose": (_top(transpose_forward=[0, 0, 1]), "transpose_forward"),
    "not JSON": (lambda root: (root / "plans.json").write_text("{"), "cannot be read as JSON"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_a_sentence_and_nothing_comes_in(case: str, training: Path, user_models: Path) -> None:
    spoil, sentence = BAD[case]
    spoil(training)
    with pytest.raises(PackageError, match=sentence):
        import_package(training)
    assert_nothing_came_in(user_models)
