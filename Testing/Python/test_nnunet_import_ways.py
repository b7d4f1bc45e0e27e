"""Import of nnU-Net v2: the folders and archives around a training, cancel, a full disk, and the licence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from foreign import assert_nothing_came_in
from nnunet_folders import (
    FINAL,
    write_training,
)
from SUREUncertaintyLib.cli.app import app
from SUREUncertaintyLib.core.errors import Cancelled, PackageError, SureError
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.licence import state_licence
from SUREUncertaintyLib.packages.package import Package
from typer.testing import CliRunner

pytestmark = pytest.mark.usefixtures("user_models")


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """A results folder with two folds."""
    return write_training(tmp_path / "results", "plain", folds=2)


def test_nnunets_other_folders_are_told_from_a_trained_network(
    training: Path, tmp_path: Path, user_models: Path
) -> None:
    raw, preprocessed = (tmp_path / name / "Dataset004_Own" for name in ("nnUNet_raw", "nnUNet_preprocessed"))
    (raw / "imagesTr").mkdir(parents=True)
    preprocessed.mkdir(parents=True)
    shutil.copyfile(training / "plans.json", preprocessed / "nnUNetPlans.json")
    for folder in (raw, preprocessed):
        shutil.copyfile(training / "dataset.json", folder / "dataset.json")
    for folder in (raw, raw.parent, preprocessed, preprocessed.parent):
        with pytest.raises(PackageError, match=r"scans that nnU-Net trains with.*nnUNet_results"):
            import_package(folder)
    alone = shutil.copytree(training / "fold_1", tmp_path / "my fold")
    with pytest.raises(PackageError, match=r"checkpoint of nnU-Net alone.*plans\.json.*folder around the fold"):
        import_package(alone)
    assert_nothing_came_in(user_models)


def test_an_archive_may_hold_folders_around_the_data_set(training: Path, tmp_path: Path) -> None:
    (training / "fold_1" / FINAL).unlink()
    nested = tmp_path / "archive" / "home" / "me" / "nnUNet_results"
    shutil.copytree(training.parent, nested / "Dataset004_Own")
    archive = shutil.make_archive(str(tmp_path / "sent"), "zip", tmp_path / "archive")
    assert import_package(archive).name == "Dataset004_Own"


@pytest.mark.parametrize("file", ["plans.pkl", "fold_0/model_final_checkpoint.model.pkl"])
def test_version_1_is_refused_in_words(file: str, tmp_path: Path, user_models: Path) -> None:
    root = tmp_path / "nnUNetTrainerV2__nnUNetPlansv2.1"
    (root / "fold_0").mkdir(parents=True)
    (root / file).write_bytes(b"")
    with pytest.raises(PackageError, match="nnU-Net v1"):
        import_package(root)
    assert_nothing_came_in(user_models)


def test_cancel_leaves_nothing(training: Path, user_models: Path) -> None:
    asked: list[int] = []

    def after_one_fold() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        import_package(training, is_cancelled=after_one_fold)
    assert_nothing_came_in(user_models)


def test_the_command_line_needs_no_flag(training: Path) -> None:
    outcome = CliRunner().invoke(app, ["models", "import", str(training.parent), "--name", "mine", "--json"])
    assert outcome.exit_code == 0, outcome.output
    assert json.loads(outcome.stdout)["structures"] == ["shell", "core"]
    shown = CliRunner().invoke(app, ["models", "show", "mine"])
    assert "crop, normalise, resample" in shown.stdout
    assert "2 folds" in shown.stdout


def test_the_folder_of_all_results_will_do_with_one_data_set_in_it(training: Path, user_models: Path) -> None:
    results = training.parent.parent
    (results / "Dataset001_Empty").mkdir()
    assert import_package(results).name == training.parent.name
    shutil.copytree(training.parent, results / "Dataset912_Other")
    with pytest.raises(PackageError, match=r"several data sets: Dataset911_PhantomPlain, Dataset912_Other\. Give"):
        import_package(results)


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_training(tmp_path, "plain", folds=2)
    monkeypatch.setenv("SURE_MODELS", str(small_disk / "models"))
    (small_disk / "other").write_bytes(bytes(950_000))
    with pytest.raises(SureError, match=r"(?i)no space left|disk is full|too little space"):
        import_package(root)
    assert not list((small_disk / "models").iterdir())


def test_the_licence_is_unknown_until_the_user_says_it(training: Path, tiny_package: Package) -> None:
    package = import_package(training)
    assert package.metadata.licence == "as stated by its makers, unknown to us"
    assert "unknown" in (package.root / "LICENSE").read_text(encoding="utf-8")
    stated = state_licence(package, " CC BY 4.0 ")
    assert stated.metadata.licence == "CC BY 4.0"
    assert "CC BY 4.0" in (package.root / "LICENSE").read_text(encoding="utf-8")
    assert "CC BY 4.0" in (package.root / "docs" / "README.md").read_text(encoding="utf-8")
    assert stated.fingerprint != package.fingerprint
    assert state_licence(stated, "MIT", "whole text").metadata.licence == "MIT"
    assert (package.root / "LICENSE").read_text(encoding="utf-8") == "whole text"
    with pytest.raises(PackageError, match="Give the name"):
        state_licence(stated, " ")
    with pytest.raises(PackageError, match="is stated by the model itself: "):
        state_licence(tiny_package, "MIT")
