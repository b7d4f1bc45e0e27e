"""Journey 9: two inputs in one scene have two results side by side."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import slicer
from journey import add_phantom, finish, open_module, parameters, run_and_wait


def journey():
    """The selector switches between both."""
    widget = open_module()
    scan = add_phantom(widget)
    first = run_and_wait(widget)
    assert first is not None, widget.ui.statusLabel.text
    twin = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "twin")
    slicer.util.updateVolumeFromArray(twin, slicer.util.arrayFromVolume(scan)[:, ::-1].copy())
    twin.CopyOrientation(scan)
    parameters(widget).inputVolume = twin
    second = run_and_wait(widget)
    assert second is not None, widget.ui.statusLabel.text
    assert first.segmentation is not second.segmentation
    assert second.scan is twin
    assert second.segmentation.GetDisplayNode().GetVisibility()
    assert not first.segmentation.GetDisplayNode().GetVisibility()
    widget.ui.resultSelector.setCurrentNode(first.segmentation)
    assert widget.panel.context.published().scan is scan
    assert first.segmentation.GetDisplayNode().GetVisibility()


if __name__ == "__main__":
    finish(journey)
