"""Journey 10: the scene is closed while a run is under way."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import slicer
from journey import add_phantom, finish, open_module, run_and_wait, started, wait_until


def journey():
    """Nothing of the run enters the new scene, and the module still works."""
    widget = open_module()
    add_phantom(widget)
    started(widget)
    slicer.mrmlScene.Clear()
    wait_until(lambda: not widget.panel.bridge.is_busy, 10.0)
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 0
    assert widget.ui.runButton.text == "Run"
    add_phantom(widget)
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text


if __name__ == "__main__":
    finish(journey)
