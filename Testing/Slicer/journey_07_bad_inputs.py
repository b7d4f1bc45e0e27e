"""Journey 7: a volume with NaN, a colour image, no volume: a sentence each."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np
import slicer
import vtk
from journey import finish, open_module, parameters, run_and_wait


def journey():
    """Nothing is published, and the status line says what to do."""
    widget = open_module()
    assert not widget.ui.runButton.enabled
    assert "Choose the scan" in widget.ui.runButton.toolTip
    broken = np.ones((20, 20, 20), np.float32)
    broken[4, 4, 4] = np.nan
    refused(widget, volume("broken", broken), "NaN")
    colour = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "colour")
    image = vtk.vtkImageData()
    image.SetDimensions(8, 8, 8)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    colour.SetAndObserveImageData(image)
    refused(widget, colour, "colour")
    refused(widget, slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"), "no voxels")


def volume(name, array):
    """A volume node."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, array)
    return node


def refused(widget, node, words):
    """Run on the node gives no result and a sentence that holds ``words``."""
    parameters(widget).inputVolume = node
    assert run_and_wait(widget) is None
    assert words in widget.ui.statusLabel.text, widget.ui.statusLabel.text


if __name__ == "__main__":
    finish(journey)
