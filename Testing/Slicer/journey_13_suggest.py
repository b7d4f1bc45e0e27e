"""Journey 13: let the model search for its structures, look at the boxes, run with them, and run without any."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import slicer
from journey import Stopwatch, choose_model, finish, measured, open_module, parameters, run_and_wait


def journey():
    """The average brain that comes with the model: boxes of a search, and the same result from a run that searches."""
    widget = open_module()
    choose_model(widget, "hippocampus-t1")
    widget.ui.averageButton.click()
    parameters(widget).model = "hippocampus-t1"
    parameters(widget).region = None
    with Stopwatch("search"):
        widget.ui.suggestRegionButton.click()
    boxes = slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")
    assert len(boxes) == 2, widget.ui.statusLabel.text
    measured("boxes", ", ".join(f"{box.GetName()} at {[round(x) for x in box.GetCenter()]}" for box in boxes))
    parameters(widget).region = None
    with Stopwatch("run with the boxes of the search"):
        published = run_and_wait(widget)
    assert published is not None, widget.ui.statusLabel.text
    assert published.structures.GetNumberOfRows() == 4
    measured("verdict", widget.ui.noticesLabel.text.split("</b>")[0].split(">")[-1])


if __name__ == "__main__":
    finish(journey)
