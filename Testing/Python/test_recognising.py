"""What a folder or zip is, and what a model will use, in words."""

from pathlib import Path
from zipfile import ZipFile

import pytest
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.recognising import recognise, summary
from SUREUncertaintyLib.presenters.model_description import model_text


def test_every_kind_is_recognised_by_what_lies_there(tiny_package: Package, bundle: Path, tmp_path: Path) -> None:
    assert recognise(tiny_package.root) == "package"
    assert recognise(bundle) == "bundle"
    model = tmp_path / "auto" / "inner"
    model.mkdir(parents=True)
    (model / "model.pt").write_bytes(b"")
    assert recognise(model.parent) == ""
    (model / "labels.csv").write_text("")
    assert recognise(model.parent) == "auto3dseg"
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x", "y")
    assert recognise(tmp_path / "a.zip") == "zip"
    assert recognise(tmp_path / "auto" / "inner" / "labels.csv") == ""


@pytest.mark.torch
def test_a_training_of_nnunet_is_recognised_and_its_passes_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nnunet_folders import write_training
    from SUREUncertaintyLib.packages.importing import import_package

    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "models"))
    root = write_training(tmp_path / "results", "plain", folds=2)
    assert recognise(root) == recognise(root.parent) == recognise(root / "fold_0") == "nnunet"
    package = import_package(root)
    text = summary(package)
    assert model_text(package.metadata).endswith(" 2 folds, 8 mirrored copies: 16 passes a window.")
    assert text.startswith("nnU-Net v2; 2 folds, 8 mirrored copies: 16 passes a window; finds shell, core")


def test_a_model_of_this_library_says_what_it_finds(tiny_package: Package) -> None:
    assert summary(tiny_package).startswith("finds ")
