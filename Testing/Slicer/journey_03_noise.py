"""Journey 3: move the noise slider for half a minute, run the series, read the chart."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import time

import slicer
from journey import add_phantom, finish, measured, open_module, pump, run_and_wait, wait_until

SLIDING_SECONDS = 30.0


def journey(sliding_seconds=SLIDING_SECONDS):
    """The slider is never behind for long, and a series gives a chart."""
    widget = open_module()
    add_phantom(widget)
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text
    widget.ui.liveCheckBox.checked = True
    end = time.monotonic() + sliding_seconds
    steps, updates, longest, seen = 0, 0, 0.0, ""
    while time.monotonic() < end:
        steps += 1
        begun = time.monotonic()
        widget.ui.strengthSlider.value = (steps % 60) / 100
        pump()
        longest = max(longest, time.monotonic() - begun)
        updates, seen = updates + (widget.ui.noiseLabel.text != seen), widget.ui.noiseLabel.text
    measured("updates a second while the slider moved", f"{updates / sliding_seconds:.1f}")
    measured("longest time without an answer of the window", f"{1000 * longest:.0f} ms")
    widget.ui.strengthSlider.value = 0.25
    wait_until(lambda: "0.25" in widget.ui.noiseLabel.text)
    widget.ui.seriesButton.click()
    wait_until(lambda: len(slicer.util.getNodesByClass("vtkMRMLPlotChartNode")) == 2)
    assert "notice" in widget.ui.noiseLabel.text, widget.ui.noiseLabel.text
    measured("the series", widget.ui.noiseLabel.text)
    widget.ui.stepSlider.value = 3
    assert "0.3" in widget.ui.stepLabel.text, widget.ui.stepLabel.text


if __name__ == "__main__":
    finish(journey)
