"""What a training says: how far it is, how to go on, how good it was, and which scans belong to one subject."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from needed_torch import torch  # noqa: F401 - without it this file is skipped
from SUREUncertaintyLib.cli import train
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.cli.progress import printed_progress
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.packages.held_out import held_out_sentence
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.metadata import TrainingRecord
from SUREUncertaintyLib.packages.model_card import model_card
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import amend_package
from SUREUncertaintyLib.training.calibration import HIGHEST, TuningPrediction, uncertainty_threshold
from SUREUncertaintyLib.training.own_cases import Pair, sides_of_one, sides_sentence

Capture = pytest.CaptureFixture[str]


def test_without_a_terminal_a_line_is_printed_each_twentieth(capsys: Capture) -> None:
    with printed_progress() as tell:
        for step in range(1, 401):
            tell(step / 400, f"step {step} of 400")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 21
    assert lines[0] == "  0%  step 1 of 400"
    assert lines[-1] == "100%  step 400 of 400"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five small scans with a cube each."""
    root = tmp_path / "scans"
    root.mkdir()
    for number, name in enumerate(("a_left", "a_right", "b_L", "b_R", "c")):
        labels = np.zeros((16, 16, 16), np.uint8)
        labels[5:11, 5:11, 5 + number % 2 : 11] = 1
        noise = np.random.default_rng(number).normal(0, 5, labels.shape)
        write_volume(Volume((100 * labels + noise).astype(np.float32), Grid(labels.shape)), root / f"{name}.nrrd")
        write_volume(Volume(labels, Grid(labels.shape)), root / f"{name}_seg.nrrd")
    return root


def test_left_and_right_of_one_subject_are_pointed_out_and_structures_get_names(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    command = ["recipe", str(folder), "--name", "cubes", "--output", str(tmp_path / "o"), "--profile", "quick"]
    assert run([*command, "--structure", "1=Hippocampus"]) == 0
    printed = capsys.readouterr().out
    assert "left and right of one subject: a_left and a_right; b_L and b_R." in printed
    document = json.loads((tmp_path / "o" / "recipe.json").read_text(encoding="utf-8"))
    assert [label["name"] for label in document["package"]["labels"]] == ["background", "Hippocampus"]
    assert document["package"]["task"] == "Segmentation of Hippocampus"
    assert run([*command, "--output", str(tmp_path / "p"), "--structure", "4=Liver"]) == 2
    assert "No label map holds the value 4. Name one of these: 1." in capsys.readouterr().err
    assert run([*command, "--output", str(tmp_path / "p"), "--structure", "Liver"]) == 2


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("p1_left", "p1_right"), True),
        (("p1-lh", "p1-rh"), True),
        (("R_007", "L_007"), True),
        (("p1", "p2"), False),
        (("liver1", "liver2"), False),
        (("p1_left", "p2_right"), False),
    ],
)
def test_sides_are_told_by_names(names: tuple[str, str], told: bool) -> None:
    pairs = [Pair(name, name, Path(name), Path(name)) for name in names]
    assert bool(sides_of_one(pairs)) == told
    grouped = [Pair(name, "one", Path(name), Path(name)) for name in names]
    assert sides_of_one(grouped) == ()
    assert sides_sentence(()) == ""


def trained(folder: Path, output: Path) -> Path:
    """A recipe of seconds."""
    assert run(["recipe", str(folder), "--name", "cubes", "--output", str(output), "--profile", "quick"]) == 0
    document = json.loads((output / "recipe.json").read_text(encoding="utf-8"))
    document["network"]["arguments"]["channels"] = [4, 8]
    document["optimisation"] = {"steps": 6, "warmup_steps": 1, "mixed_precision": False}
    (output / "recipe.json").write_text(json.dumps(document), encoding="utf-8")
    return output / "recipe.json"


def test_a_stopped_training_says_how_to_go_on_and_the_end_says_how_good_it_was(
    folder: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from SUREUncertaintyLib.training import learning_loop

    output = tmp_path / "my out"
    recipe = trained(folder, output)
    command = ["train", str(recipe), "--data", str(output), "--output", str(output), "--device", "cpu"]
    real, calls = learning_loop.LearningLoop._update_average, []

    def stop_later(self: learning_loop.LearningLoop, step: int) -> None:
        calls.append(step)
        if len(calls) == 4:
            raise KeyboardInterrupt
        real(self, step)

    monkeypatch.setattr(learning_loop.LearningLoop, "_update_average", stop_later)
    assert run(command) == 130
    told = capsys.readouterr().err
    assert "What was learnt until the last saved step is kept; the same command goes on from there" in told
    assert f"--output '{output}' --device cpu" in told
    monkeypatch.setattr(learning_loop.LearningLoop, "_update_average", real)
    assert run(command) == 0
    printed = capsys.readouterr()
    package = output / "package" / "cubes"
    document = json.loads((package / "configs" / "metadata.json").read_text(encoding="utf-8"))
    dice = document["training"]["tuning_dice"]
    assert f"Dice on 1 scan that was set aside: {dice:.2f}." in printed.out
    assert f"| Mean Dice on the cases for tuning | {dice} |" in (package / "docs" / "README.md").read_text("utf-8")
    assert "step 6 of 6" in printed.err


def test_a_poor_model_is_imported_only_by_force(
    tiny_package: Package, tmp_path: Path, user_models: Path, capsys: Capture
) -> None:
    import shutil

    copy = tmp_path / "poor"
    shutil.copytree(tiny_package.root, copy)
    from SUREUncertaintyLib.packages.package import load_package

    training = {**tiny_package.metadata.raw.get("training", {}), "tuning_dice": 0.31, "tuning_ids": ["a", "b"]}
    amend_package(load_package(copy), {"training": training})
    with pytest.raises(PackageError, match=r"reached a Dice of 0\.31 .*--force"):
        import_package(copy, "poor")
    assert run(["models", "import", str(copy), "--name", "poor"]) == 2
    assert run(["models", "import", str(copy), "--name", "poor", "--force"]) == 0
    assert (user_models / "poor").is_dir()
    assert "0.31. That is too poor" in held_out_sentence(TrainingRecord.of({"training": training}))
    assert "nobody knows how good" in held_out_sentence(TrainingRecord.of({"training": {"tuning_dice": None}}))
    assert "0.31" in model_card(load_package(copy).metadata.raw)


def test_the_threshold_of_a_bad_model_does_not_rise_until_nothing_is_uncertain() -> None:
    rng = np.random.default_rng(0)
    label = np.zeros((8, 20, 20), np.uint8)
    wrong = rng.random(label.shape) < 0.05
    probability = np.stack([np.where(wrong, 0.1, 0.9), np.where(wrong, 0.9, 0.1)]).astype(np.float32)
    bad = np.where(wrong, 0.95, 0.9 * rng.random(label.shape)).astype(np.float32)
    assert uncertainty_threshold([TuningPrediction(probability, bad, label)]) == HIGHEST
    good = np.where(wrong, 0.4, 0.2).astype(np.float32)
    assert 0.2 <= uncertainty_threshold([TuningPrediction(probability, good, label)]) < 0.4


def test_a_structure_s_name_needs_value_and_name() -> None:
    from SUREUncertaintyLib.cli.recipe import _named

    assert _named("2= Tumour core") == (2, "Tumour core")
    for text in ("Liver", "=Liver", "x=Liver", "1="):
        with pytest.raises(InputError, match="names no structure"):
            _named(text)


def test_a_training_that_saved_nothing_yet_says_that_it_begins_anew(tmp_path: Path) -> None:
    told = train._how_to_go_on("recipe.yaml", tmp_path, tmp_path / "out", None, None)
    assert told.startswith(
        "The training was stopped. Nothing was saved yet; the same command begins anew:\n  sure train"
    )
