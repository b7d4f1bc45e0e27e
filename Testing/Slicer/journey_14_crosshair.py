"""Journey 14: a region around the crosshair, moved by placing it again."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from journey import add_phantom, finish, measured, open_module, parameters, put_crosshair, run_and_wait


def journey():
    """Without a crosshair there is a sentence; with one a box of the size that the model wants."""
    widget = open_module()
    add_phantom(widget)
    middle = tuple(parameters(widget).region.GetCenter())
    parameters(widget).region = None
    put_crosshair(widget, middle)
    widget.ui.placeRegionButton.click()
    region = parameters(widget).region
    assert max(abs(a - b) for a, b in zip(region.GetCenter(), middle, strict=True)) < 0.01
    put_crosshair(widget, tuple(x + 2.0 for x in middle))
    widget.ui.placeRegionButton.click()
    assert parameters(widget).region is region, "the box is moved, not made anew"
    measured("box in mm", [round(x) for x in region.GetSize()])
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text


if __name__ == "__main__":
    finish(journey)
