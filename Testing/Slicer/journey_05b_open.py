"""Journey 5, second half: a saved scene opened in a fresh Slicer has settings, nodes, colours and legend."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tempfile

import slicer
from journey import finish, open_module, parameters

FOLDER = os.environ.get("SURE_JOURNEY_FOLDER") or tempfile.gettempdir()
SCENE = os.path.join(FOLDER, "sure-journey.mrb")


def journey():
    """Everything is back in place."""
    widget = open_module()
    slicer.util.loadScene(SCENE)
    settings = parameters(widget)
    assert abs(settings.overlayOpacity - 0.35) < 1e-6
    assert abs(widget.ui.opacitySlider.value - 0.35) < 1e-6
    assert abs(widget.ui.bandRange.minimumValue - 0.3) < 1e-6
    published = widget.panel.context.published()
    assert published is not None
    assert settings.inputVolume is published.scan
    display = published.uncertainty.GetDisplayNode()
    assert display.GetColorNode() is not None
    assert abs(display.GetLowerThreshold() - 0.3) < 1e-3
    assert slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(published.uncertainty) is not None


if __name__ == "__main__":
    finish(journey)
