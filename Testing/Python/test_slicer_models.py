"""Models in Set-up: added from a folder or zip by a real worker, with their card, and removed."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

# ruff: noqa: E402
slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from opened_module import add_scan, parameters, wait
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.presenters.dropped_path import dropped_path


def test_a_model_is_added_from_a_folder_or_zip_and_removed_or_the_reason_is_said(
    opened: SimpleNamespace, tmp_path: Path, tiny_package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "models"))
    opened.desktop.path = tmp_path / "nothing"
    opened.ui.importModelButton.click()
    assert opened.ui.setupLabel.text == opened.desktop.errors.pop()
    assert "no model that is known here" in opened.ui.setupLabel.text
    opened.desktop.path = Path(shutil.make_archive(str(tmp_path / "tiny"), "zip", tiny_package.root))
    opened.ui.zipModelButton.click()
    assert opened.ui.setupLabel.text.startswith("This is a zip, which is unpacked first. 0 %:")
    assert opened.ui.importModelButton.text == "Cancel"
    wait(opened)
    assert opened.desktop.errors == []
    assert opened.ui.setupLabel.text.startswith("The model 'tiny' is in the list and chosen: finds ")
    assert opened.ui.importModelButton.text == "Add a model ..."
    assert (tmp_path / "models" / "tiny" / "configs" / "metadata.json").is_file()
    assert parameters(opened).model == "tiny"
    assert opened.ui.modelCardText.plainText.startswith("# ")
    opened.desktop.path = tiny_package.root
    opened.ui.importModelButton.click()
    wait(opened)
    assert "There is a model named 'tiny' already" in opened.desktop.errors.pop()
    opened.desktop.agrees = False
    opened.ui.removeModelButton.click()
    assert (tmp_path / "models" / "tiny").is_dir()
    opened.desktop.agrees = True
    opened.ui.removeModelButton.click()
    assert not (tmp_path / "models" / "tiny").exists()
    assert opened.ui.setupLabel.text == "The model 'tiny' is gone."
    assert opened.ui.modelSelector.findData("tiny") < 0


def test_a_model_that_comes_with_the_program_is_not_removed(opened: SimpleNamespace) -> None:
    parameters(opened).model = "hippocampus-t1"
    opened.widget.panel.update()
    opened.ui.removeModelButton.click()
    assert opened.desktop.questions == []
    assert "those that come with the program stay" in opened.ui.setupLabel.text


def test_a_folder_or_zip_that_is_dropped_comes_in_and_is_tried_on_the_open_scan(
    opened: SimpleNamespace, tmp_path: Path, tiny_package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "models"))
    opened.ui.tryModelButton.click()
    assert opened.ui.setupLabel.text == "Choose a scan and a model under Input first."
    folder = tmp_path / "a folder é" / "tiny"
    shutil.copytree(tiny_package.root, folder)
    box = opened.ui.modelDropText
    box.setPlainText(str(folder))  # a person types
    box.emit("textChanged")
    assert box.plainText == str(folder)
    box.setPlainText(f"{folder.as_uri()}\nfile:///nothing")
    box.emit("textChanged")
    assert box.plainText == ""
    wait(opened)
    assert opened.desktop.errors == []
    assert parameters(opened).model == "tiny"
    parameters(opened).inputVolume = add_scan(opened)
    opened.ui.tryModelButton.click()
    assert "runs on the open scan" in opened.ui.setupLabel.text
    wait(opened)
    assert opened.desktop.errors == []
    assert parameters(opened).segmentation is not None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///home/a%20b/model", Path("/home/a b/model")),
        ("\nfile://localhost/home/x.zip\r\n", Path("/home/x.zip")),
        ("file://server/share/x", Path("//server/share/x")),
        ("/home/x\n", Path("/home/x")),
        ("/home/x", None),
        ("", None),
        ("https://example.org/x", None),
    ],
)
def test_what_was_dropped_is_an_address_of_a_file(text: str, path: Path | None) -> None:
    assert dropped_path(text) == path
