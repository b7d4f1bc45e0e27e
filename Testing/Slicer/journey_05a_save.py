"""Journey 5, first half: a result, settings and a saved scene. The second half opens it in another Slicer."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tempfile

import slicer
from journey import add_phantom, finish, open_module, parameters, run_and_wait

FOLDER = os.environ.get("SURE_JOURNEY_FOLDER") or tempfile.gettempdir()
SCENE = os.path.join(FOLDER, "sure-journey.mrb")


def journey():
    """Leave a scene that the other half can judge."""
    widget = open_module()
    add_phantom(widget)
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text
    parameters(widget).overlayOpacity = 0.35
    parameters(widget).bandLow = 0.3
    assert slicer.util.saveScene(SCENE)


if __name__ == "__main__":
    finish(journey)
