"""Journey 12: train on scans of one's own, watch the curves, segment with the model."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import json
import tempfile
from pathlib import Path

import numpy as np
import slicer
from journey import finish, need_packages, open_module, parameters, run_and_wait, wait_until

STEPS = 8


def journey():
    """Eight steps of a tiny network on four made-up scans: nothing is learnt, everything happens."""
    from SUREUncertaintyLib.files.reading import read_volume
    from SUREUncertaintyLib.mrml.volume_nodes import add_volume

    need_packages("torch", "monai", "safetensors", "onnx", "yaml")
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("SURE_JOURNEY_FOLDER")))
    os.environ["SURE_MODELS"] = str(folder / "models")
    widget = open_module()
    write_scans(folder / "scans")
    choose(widget.ui.trainRecipeSelector, "file")
    recipe = tiny_recipe(folder / "scans", folder / "recipe")
    widget.ui.trainFolder.currentPath = str(recipe.parent)
    widget.ui.trainRecipeFile.currentPath = str(recipe)
    widget.ui.trainNameEdit.text = "journey"
    widget.panel.train.update()
    widget.ui.trainButton.click()
    wait_until(lambda: not widget.panel.train.controller.is_running)
    assert parameters(widget).model == "journey", widget.ui.trainLabel.text
    (chart,) = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    assert chart.GetNthPlotSeriesNode(0).GetTableNode().GetTable().GetNumberOfRows() > 0
    parameters(widget).inputVolume = add_volume(slicer.mrmlScene, read_volume(folder / "scans" / "s0.nrrd"))
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text


def write_scans(folder):
    """Four noisy balls with their labels."""
    from SUREUncertaintyLib.core.volume import Grid, Volume
    from SUREUncertaintyLib.files.writing import write_volume

    folder.mkdir()
    grid = Grid((24, 24, 24))
    ball = (sum((axis - 12.0) ** 2 for axis in np.indices(grid.shape)) < 49).astype(np.uint8)
    for number in range(4):
        noise = np.random.default_rng(number).normal(0, 20, grid.shape)
        write_volume(Volume((200 * ball + noise).astype(np.float32), grid), folder / f"s{number}.nrrd")
        write_volume(Volume(ball, grid), folder / f"s{number}_seg.nrrd")


def tiny_recipe(scans, output):
    """The recipe that fits the scans, made small."""
    from SUREUncertaintyLib.training.own_recipe import prepare_own

    path = prepare_own(scans, "journey", "quick", output)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["network"]["arguments"]["channels"] = [2, 4]
    document["input"]["patch"] = [16, 16, 16]
    document["optimisation"] = {"steps": STEPS, "warmup_steps": 2, "mixed_precision": False}
    document["augmentation"] = {}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def choose(combo, data):
    """Choose the entry that carries ``data``."""
    combo.setCurrentIndex(combo.findData(data))


if __name__ == "__main__":
    finish(journey)
