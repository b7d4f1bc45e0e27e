"""Journey 19: train on what was drawn in the scene, stop, and find that it can go on."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tempfile
from pathlib import Path

import numpy as np
import slicer
from journey import Stopwatch, finish, measured, need_packages, open_module, wait_until


def journey():
    """Four scans with segmentations of one ball each; the quick recipe, stopped after its first steps."""
    need_packages("torch", "monai", "safetensors", "onnx", "yaml")
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("SURE_JOURNEY_FOLDER")))
    os.environ["SURE_MODELS"] = str(folder / "models")
    widget = open_module()
    for number in range(4):
        draw_case(number)
    for combo, data in ((widget.ui.trainSourceSelector, "scene"), (widget.ui.trainRecipeSelector, "quick")):
        combo.setCurrentIndex(combo.findData(data))
    widget.ui.trainNameEdit.text = "by-hand"
    widget.panel.train.update()
    measured("found in the scene", widget.ui.trainFoundLabel.text)
    with Stopwatch("until the first point of the curves"):
        widget.ui.trainButton.click()
        wait_until(lambda: bool(slicer.util.getNodesByClass("vtkMRMLPlotChartNode")))
    widget.ui.trainButton.click()
    wait_until(lambda: not widget.panel.train.controller.is_running)
    measured("after Cancel", widget.ui.trainLabel.text)


def draw_case(number):
    """A noisy ball and its segmentation, as a person would have drawn it on the volume."""
    from SUREUncertaintyLib.core.volume import Grid, Volume
    from SUREUncertaintyLib.mrml.volume_nodes import add_volume, vtk_image, vtk_matrix

    grid = Grid((24, 24, 24))
    ball = (sum((axis - 12.0) ** 2 for axis in np.indices(grid.shape)) < 49).astype(np.uint8)
    array = 200 * ball + np.random.default_rng(number).normal(0, 20, grid.shape)
    scan = add_volume(slicer.mrmlScene, Volume(array.astype(np.float32), grid, f"case {number}"))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"case {number} drawn")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(scan)
    image = vtk_image(ball, slicer.vtkOrientedImageData())
    image.SetGeometryFromImageToWorldMatrix(vtk_matrix(grid.ijk_to_ras))
    segment = slicer.vtkSegment()
    segment.SetName("Ball")
    segment.AddRepresentation("Binary labelmap", image)
    node.GetSegmentation().AddSegment(segment, "Ball")


if __name__ == "__main__":
    finish(journey)
