"""Journey 23: a scan over time from the Sequences module: every frame, the curve, the ejection fraction."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np
import slicer
from journey import Stopwatch, choose_model, finish, measured, open_module, parameters, run_and_wait

SHAPE, SPACING = (4, 96, 96), (1.4, 1.4, 8.0)
RADII = (25.0, 21.0, 17.0, 21.0)


def heart(radius):
    """A volume node of one frame: a bright cavity in a dark wall, beside the other ventricle."""
    _, j, i = np.indices(SHAPE).astype(float)
    x, y = (i - 52.0) * SPACING[0], (j - 48.0) * SPACING[1]
    distance = np.hypot(x, y)
    image = np.full(SHAPE, 90.0)
    image[np.hypot(x + 28.0, y + 12.0) < 26.0] = 190.0
    image[distance < radius + 11.0] = 60.0
    image[distance < radius] = 200.0
    image += np.random.default_rng(0).normal(0.0, 5.0, SHAPE)
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetSpacing(*SPACING)
    slicer.util.updateVolumeFromArray(node, image.astype(np.int16))
    return node


def add_sequence():
    """What loading a cine series leaves: a sequence with times, a browser, and the volume that shows a frame."""
    scene = slicer.mrmlScene
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "cine series")
    sequence.SetIndexName("TriggerTime")
    sequence.SetIndexUnit("ms")
    for number, radius in enumerate(RADII):
        sequence.SetDataNodeAtValue(heart(radius), str(200.0 * number))
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "cine browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    return browser, browser.GetProxyNode(sequence) or browser.AddProxyNode(sequence.GetNthDataNode(0), sequence, True)


def journey():
    """Frames are measured, the scan stays where it was, and one frame alone can be had as well."""
    from SUREUncertaintyLib.mrml.cine_frames import frames_browser, numbers_of

    widget = open_module()
    browser, scan = add_sequence()
    browser.SetSelectedItemNumber(1)
    parameters(widget).inputVolume = scan
    choose_model(widget, "heart-lv-cine")
    assert widget.ui.allFramesCheckBox.checked
    with Stopwatch("run of four frames"):
        published = run_and_wait(widget)
    assert published is not None, widget.ui.statusLabel.text
    numbers = numbers_of(published)
    assert [frame["time_ms"] for frame in numbers["frames"]] == [0.0, 200.0, 400.0, 600.0]
    assert (numbers["end_diastole"], numbers["end_systole"]) == (1, 3)
    measured("ejection fraction", numbers["ejection"]["ejection_fraction"])
    assert "Ejection fraction" in widget.ui.noticesLabel.text
    assert browser.GetSelectedItemNumber() == 1, "the person's own browser has not moved"
    widget.ui.stepSlider.value = 2.0
    assert frames_browser(published).GetSelectedItemNumber() == 2
    assert widget.ui.stepLabel.text.startswith("Frame 3 of 4")
    widget.ui.allFramesCheckBox.checked = False
    alone = run_and_wait(widget)
    assert alone.scan.GetName().endswith("frame 2"), alone.scan.GetName()


if __name__ == "__main__":
    finish(journey)
