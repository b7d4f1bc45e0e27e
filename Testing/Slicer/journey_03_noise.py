"""Journey 3: move the noise slider for half a minute, run the series, read the chart."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import time

import slicer
from journey import add_phantom, finish, measured, open_module, pump, run_and_wait, wait_until

SLIDING_SECONDS = 30.0
WINDOW, FOUR_UP = (1366, 768), 3


def journey(sliding_seconds=SLIDING_SECONDS):
    """The slider is never behind for long, with and without a volume in the 3D view, and a series gives a chart."""
    four_views()
    widget = open_module()
    scan = add_phantom(widget)
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text
    widget.ui.liveCheckBox.checked = True
    slide(widget, sliding_seconds, "")
    rendering = render(scan)
    if rendering is not None:
        slide(widget, sliding_seconds / 2, ", the scan rendered in 3D")
        rendering.SetVisibility(False)
    widget.ui.strengthSlider.value = 0.25
    wait_until(lambda: "0.25" in widget.ui.noiseLabel.text)
    widget.ui.seriesButton.click()
    wait_until(lambda: len(slicer.util.getNodesByClass("vtkMRMLPlotChartNode")) == 2)
    assert "notice" in widget.ui.noiseLabel.text, widget.ui.noiseLabel.text
    measured("the series", widget.ui.noiseLabel.text)
    widget.ui.stepSlider.value = 3
    assert "0.3" in widget.ui.stepLabel.text, widget.ui.stepLabel.text


def four_views():
    """Three slices and 3D in a window of a small notebook, so that what is measured is what a person sees."""
    try:
        layout, window = slicer.app.layoutManager(), slicer.util.mainWindow()
    except AttributeError:  # a scene without views
        return
    layout.setLayout(FOUR_UP)
    window.resize(*WINDOW)


def slide(widget, seconds, how):
    """Move the slider and print how often the picture followed, and how long the window was busy at most."""
    end = time.monotonic() + seconds
    steps, updates, longest, seen = 0, 0, 0.0, ""
    while time.monotonic() < end:
        steps += 1
        begun = time.monotonic()
        widget.ui.strengthSlider.value = (steps % 60) / 100
        pump()
        longest = max(longest, time.monotonic() - begun)
        updates, seen = updates + (widget.ui.noiseLabel.text != seen), widget.ui.noiseLabel.text
    measured(f"updates a second while the slider moved{how}", f"{updates / seconds:.1f}")
    measured(f"longest time without an answer of the window{how}", f"{1000 * longest:.0f} ms")


def render(scan):
    """Show a scan as a volume in the 3D view; its display node, None where Slicer has no such module."""
    try:
        logic = slicer.modules.volumerendering.logic()
    except AttributeError:
        return None
    display = logic.CreateDefaultVolumeRenderingNodes(scan)
    display.SetVisibility(True)
    return display


if __name__ == "__main__":
    finish(journey)
