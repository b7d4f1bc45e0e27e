"""What every journey needs: the open module, a scan, waiting without blocking the window, and an exit code."""

import sys
import time
import traceback

import slicer

RUN_SECONDS = 300.0
PAUSE_SECONDS = 0.02


def open_module():
    """The module's widget, in front."""
    slicer.util.selectModule("SUREUncertainty")
    return slicer.modules.SUREUncertaintyWidget


def parameters(widget):
    """The settings in the scene."""
    return widget._parameterNode


def pump():
    """Let the application work for a moment."""
    slicer.app.processEvents()
    time.sleep(PAUSE_SECONDS)


def wait_until(condition, seconds=RUN_SECONDS):
    """Work until the condition holds; an assertion fails after ``seconds``."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        pump()


def add_phantom(widget):
    """The phantom as the input, with the box of its left body as the region; the volume node."""
    widget.ui.phantomButton.click()
    settings = parameters(widget)
    settings.region = slicer.util.getFirstNodeByName("Left", "vtkMRMLMarkupsROINode")
    return settings.inputVolume


def run_and_wait(widget):
    """Press Run and wait for the end; the result's nodes, None without a result."""
    widget.ui.runButton.click()
    wait_until(lambda: not widget.panel.runs.is_running)
    return widget.panel.context.published()


def started(widget):
    """Press Run and come back while the worker computes."""
    widget.ui.runButton.click()
    assert widget.panel.runs.is_running, widget.ui.statusLabel.text


def finish(journey):
    """Run a journey and end the application with its exit code."""
    import slicer.testing

    try:
        journey()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        slicer.testing.exitFailure("journey failed")
    else:
        slicer.testing.exitSuccess()
