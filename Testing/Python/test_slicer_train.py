"""Train your own in the module: scans found, worker of its own, curves, stop and go on, model in the list."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from opened_module import LIMIT_SECONDS, add_scan, parameters, run, wait
from phantoms import asymmetric_volume
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.segment_reading import read_segmentation
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.training_pairs import scene_pairs, write_scene_pairs
from SUREUncertaintyLib.packages.catalogue import list_packages
from SUREUncertaintyLib.training.own_cases import find_pairs
from SUREUncertaintyLib.training.own_recipe import prepare_own
from SUREUncertaintyLib.training.recipe import find_recipe
from two_blobs import two_blobs

SCAN = asymmetric_volume(Grid((18, 20, 22)))


@pytest.fixture
def studio(opened: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The opened module with a folder of models of its own."""
    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "own" / "models"))
    return opened


def tick_until(opened: SimpleNamespace, condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT_SECONDS
    while not condition():
        opened.desktop.tick()
        assert time.monotonic() < limit, opened.ui.trainLabel.text


def write_scans(folder: Path, count: int = 2) -> Path:
    folder.mkdir()
    for number in range(count):
        write_volume(SCAN.with_array(SCAN.array + np.int16(number)), folder / f"s{number}.nrrd")
        write_volume(SCAN.with_array((SCAN.array > 500).astype(np.uint8)), folder / f"s{number}_seg.nrrd")
    return folder


def small_recipe(scans: Path, output: Path, steps: int) -> Path:
    """The recipe for the scans, for a network and a time that a test can wait for."""
    path = prepare_own(scans, "mine", "quick", output)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["network"]["arguments"]["channels"] = [2, 4]
    document["input"]["patch"] = [16, 16, 16]
    document["optimisation"] = {"steps": steps, "warmup_steps": 2, "mixed_precision": False}
    document["augmentation"] = {}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def choose(combo, data: str) -> None:
    combo.setCurrentIndex(combo.findData(data))


def press_train(opened: SimpleNamespace, scans: Path, recipe: Path, name: str) -> None:
    choose(opened.ui.trainRecipeSelector, "file")
    opened.ui.trainFolder.currentPath = str(scans)
    opened.ui.trainRecipeFile.currentPath = str(recipe)
    opened.ui.trainNameEdit.text = name
    opened.widget.panel.train.update()
    opened.ui.trainButton.click()


def test_the_panel_says_what_it_found_and_what_is_missing(opened: SimpleNamespace, tmp_path: Path) -> None:
    ui, panel = opened.ui, opened.widget.panel.train
    assert not ui.trainButton.enabled
    assert ui.trainButton.toolTip.startswith("Choose scans with labels first")
    ui.trainFolder.currentPath = str(write_scans(tmp_path / "scans"))
    panel.update()
    assert ui.trainFoundLabel.text == "Found 2: s0, s1"
    assert ui.trainButton.enabled
    ui.trainNameEdit.text = "!!"
    panel.update()
    assert "needs a name of letters" in ui.trainButton.toolTip
    ui.trainNameEdit.text = ""
    choose(ui.trainSourceSelector, "scene")
    assert not ui.trainButton.enabled
    run(opened, add_scan(opened))
    panel.update()
    assert ui.trainFoundLabel.text == "Found 1: scan / scan structures"
    choose(ui.trainRecipeSelector, "file")
    assert ui.trainButton.toolTip.startswith("Choose the recipe file")


def test_a_recipe_that_goes_on_from_another_is_not_offered_without_a_start(
    opened: SimpleNamespace, tmp_path: Path
) -> None:
    ui, recipe = opened.ui, tmp_path / "second.yaml"
    recipe.write_bytes(find_recipe("hippocampus-t1").read_bytes())
    choose(ui.trainRecipeSelector, "file")
    ui.trainFolder.currentPath = str(tmp_path)
    ui.trainRecipeFile.currentPath = str(recipe)
    opened.widget.panel.train.update()
    assert not ui.trainButton.enabled
    assert "goes on from a model of the recipe 'hippocampus-t1-wide'" in ui.trainFoundLabel.text
    assert "start_from" in ui.trainButton.toolTip
    recipe.write_text(recipe.read_text(encoding="utf-8") + "\nstart_from: my-plain\n", encoding="utf-8")
    opened.widget.panel.train.update()
    assert ui.trainButton.enabled


@pytest.mark.torch
def test_a_bad_recipe_a_stop_and_a_training_that_ends_with_a_model(studio: SimpleNamespace, tmp_path: Path) -> None:
    """One test, because PyTorch takes seconds to load in each new worker."""
    opened, scans = studio, write_scans(tmp_path / "scans")
    refuse_a_recipe_that_is_none(opened, tmp_path)
    stop_and_go_on(opened, tmp_path / "long", small_recipe(scans, tmp_path / "long", 4000))
    train_to_the_end(opened, tmp_path / "short", small_recipe(scans, tmp_path / "short", 8))


def refuse_a_recipe_that_is_none(opened: SimpleNamespace, folder: Path) -> None:
    (folder / "bad.yaml").write_text("name: x\n", encoding="utf-8")
    press_train(opened, folder, folder / "bad.yaml", "Bad")
    wait(opened)
    assert opened.ui.trainLabel.text == "The recipe lacks 'seed'."
    assert opened.desktop.errors.pop().startswith("The recipe lacks 'seed'.")
    assert opened.ui.trainButton.enabled


def stop_and_go_on(opened: SimpleNamespace, scans: Path, recipe: Path) -> None:
    press_train(opened, scans, recipe, "Long")
    assert opened.ui.trainButton.text == "Cancel"
    tick_until(opened, lambda: bool(opened.desktop.charts))
    opened.ui.trainButton.click()
    wait(opened)
    assert opened.ui.trainLabel.text.startswith("Stopped. What was learnt is kept")
    assert opened.ui.trainButton.text == "Go on training"
    output = opened.widget.panel.train._output()
    kept = json.loads((output / "checkpoint" / "state.json").read_text(encoding="utf-8"))["step"]
    assert 0 < kept < 4000
    opened.ui.trainButton.click()

    def steps() -> list[int]:
        rows = (output / "log.csv").read_text(encoding="utf-8").splitlines()[1:]
        return [int(row.split(",")[0]) for row in rows]

    tick_until(opened, lambda: max(steps(), default=0) > kept)
    assert steps() == sorted(set(steps()))
    opened.ui.trainButton.click()
    wait(opened)
    assert opened.desktop.errors == []


def train_to_the_end(opened: SimpleNamespace, scans: Path, recipe: Path) -> None:
    opened.desktop.charts.clear()
    press_train(opened, scans, recipe, "Mine!")
    wait(opened)
    assert opened.desktop.errors == [], opened.ui.trainLabel.text
    assert "mine" in {package.name for package in list_packages()}
    assert parameters(opened).model == "mine"
    assert opened.ui.trainLabel.text.startswith("The model 'mine' is ready")
    table = opened.desktop.charts[0][0].GetNthPlotSeriesNode(0).GetTableNode().GetTable()
    assert table.GetNumberOfRows() == 8
    assert table.GetValueByName(7, "loss").ToDouble() > 0


def test_pairs_of_the_scene_become_files_with_the_same_values_for_the_same_names(tmp_path: Path) -> None:
    with HeadlessScene() as headless:
        publish(headless.scene, two_blobs(name="first"))
        second = publish(headless.scene, two_blobs(name="second", model="other"))
        second.segmentation.GetSegmentation().RemoveSegment("left_blob_5")
        loose = headless.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "loose")
        loose.GetSegmentation().AddEmptySegment("a")
        pairs = scene_pairs(headless.scene)
        assert [pair.name for pair in pairs] == ["first / first structures", "second / second structures"]
        write_scene_pairs(pairs, tmp_path / "files")
    expected = two_blobs().labels.array
    found = find_pairs(tmp_path / "files")
    assert [pair.id for pair in found] == ["001", "002"]
    labels, label_set = read_segmentation(found[0].label)
    assert [(label.value, label.name) for label in label_set] == [(1, "left blob"), (2, "right blob"), (3, "absent")]
    assert np.array_equal(labels.array == 2, expected == 12)
    other, _ = read_segmentation(found[1].label)
    assert np.array_equal(other.array, np.where(expected == 12, 2, 0))


def test_an_empty_scene_has_nothing_to_learn_from(tmp_path: Path) -> None:
    with HeadlessScene() as headless, pytest.raises(InputError, match="has no segmentation that belongs to a volume"):
        write_scene_pairs(scene_pairs(headless.scene), tmp_path / "files")


def test_other_scans_under_a_used_name_are_refused(tmp_path: Path) -> None:
    prepare_own(write_scans(tmp_path / "a"), "mine", "quick", tmp_path / "out")
    with pytest.raises(InputError, match=r"A training named 'mine' has begun with other scans.*another name"):
        prepare_own(write_scans(tmp_path / "b"), "mine", "quick", tmp_path / "out")
    with pytest.raises(InputError, match="or another recipe"):
        prepare_own(tmp_path / "a", "mine", "standard", tmp_path / "out")
