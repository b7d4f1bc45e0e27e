"""Renews docs/pictures/desktop-*.png in a desktop Slicer.

    Slicer --testing --additional-module-paths SUREUncertainty --python-script Testing/Slicer/desktop_pictures.py

nilearn must be in Slicer's Python, for the MNI152 template.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import qt
import slicer
from journey import (
    MODEL,
    add_phantom,
    choose_model,
    finish,
    load_dicom,
    open_module,
    parameters,
    pump,
    run_and_wait,
    started,
    wait_until,
    write_dicom,
)

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
WINDOW = (1500, 950)
PANEL = 390
FOUR_UP = 3


def journey():
    """One picture a section of the tutorial."""
    window = slicer.util.mainWindow()
    window.resize(*WINDOW)
    window.show()
    slicer.app.layoutManager().setLayout(FOUR_UP)
    for view in slicer.util.getNodesByClass("vtkMRMLViewNode"):
        view.SetUseDepthPeeling(False)  # with software rendering it draws no half transparent surface at all
    widget = open_module()
    dock = window.findChild("QDockWidget", "PanelDockWidget")
    window.resizeDocks([dock], [PANEL], qt.Qt.Horizontal)
    rest()
    show_result(widget, window)
    show_place(widget, window)
    show_series(widget, window)
    show_two(widget)
    show_export(widget)
    show_saved(widget)
    show_refusals(widget)
    show_cancel(widget)


def show_result(widget, window):
    """Section 1: the template, its left region, surfaces."""
    load_head(widget)
    only(widget, "input", "results", "uncertainty")
    widget.ui.show3DButton.checked = True
    rest(1.0)
    save(window, "desktop-result")


def show_place(widget, window):
    """Section 2: the list of uncertain regions, the first one in the views."""
    only(widget, "uncertainty")
    widget.ui.nextUncertainButton.click()
    rest(1.0)
    save(window, "desktop-place")


def show_series(widget, window):
    """Section 3: the chart of a series."""
    only(widget, "noise")
    widget.ui.seriesButton.click()
    wait_until(lambda: len(slicer.util.getNodesByClass("vtkMRMLPlotChartNode")) == 2)
    widget.ui.stepSlider.value = 3
    rest(1.0)
    save(window, "desktop-series")
    slicer.app.layoutManager().setLayout(FOUR_UP)


def show_two(widget):
    """Section 9: a second scan with a result of its own."""
    add_phantom(widget)
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text
    only(widget, "results")
    rest()
    save(widget.ui.resultsCollapsibleButton, "desktop-two")


def show_export(widget):
    """Section 8: what an export of a scan that came as DICOM says."""
    folder = Path(tempfile.mkdtemp())
    write_dicom(parameters(widget).inputVolume, folder / "series")
    parameters(widget).inputVolume = load_dicom(widget, folder / "series")
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text
    widget.panel.context.desktop.choose_folder = lambda title: folder
    selector = widget.ui.exportSelector
    selector.setCurrentIndex(selector.findData("dicom"))
    widget.ui.exportButton.click()
    rest()
    save(widget.ui.resultsCollapsibleButton, "desktop-export")


def show_saved(widget):
    """Section 5: numbers and uncertainty of a scene that was saved and opened."""
    path = Path(tempfile.mkdtemp()) / "scene.mrb"
    assert slicer.util.saveScene(str(path))
    slicer.mrmlScene.Clear()
    slicer.util.loadScene(str(path))
    open_module()
    only(widget, "numbers")
    rest(1.0)
    save(widget.ui.numbersCollapsibleButton, "desktop-opened")


def show_refusals(widget):
    """Sections 6 and 7: a scan under a transform."""
    slicer.mrmlScene.Clear()
    open_module()
    scan = add_phantom(widget)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Registration")
    scan.SetAndObserveTransformNodeID(transform.GetID())
    only(widget, "input")
    widget.panel.context.desktop.error = lambda text, details="": None
    widget.ui.runButton.click()
    wait_until(lambda: not widget.panel.runs.is_running)
    rest()
    save(widget.ui.inputCollapsibleButton, "desktop-refused")
    scan.SetAndObserveTransformNodeID(None)


def show_cancel(widget):
    """Section 4: while a run is under way."""
    parameters(widget).region = None
    started(widget)
    wait_until(lambda: widget.ui.progressBar.value > 0 or not widget.panel.runs.is_running)
    save(widget.ui.inputCollapsibleButton, "desktop-running")
    widget.ui.runButton.click()
    wait_until(lambda: not widget.panel.runs.is_running)


def load_head(widget):
    """The template with its boxes, one of them without handles as the region, and a result."""
    from SUREUncertaintyLib.files.demo_input import ROIS, demo_scan
    from SUREUncertaintyLib.mrml.boxes import add_roi_node
    from SUREUncertaintyLib.mrml.volume_nodes import add_volume

    choose_model(widget, MODEL)
    settings = parameters(widget)
    settings.inputVolume = add_volume(slicer.mrmlScene, demo_scan())
    settings.region = add_roi_node(slicer.mrmlScene, replace(ROIS[0], name="Left side"))
    settings.region.GetDisplayNode().SetHandlesInteractive(False)
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text


def only(widget, *sections):
    """Open these sections of the panel and close the others."""
    for name in [name for name in dir(widget.ui) if name.endswith("CollapsibleButton")]:
        getattr(widget.ui, name).collapsed = name.removesuffix("CollapsibleButton") not in sections


def rest(seconds=0.5):
    """Let the views draw."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pump()


def save(widget, name):
    """What a widget shows, as a file."""
    widget.grab().save(str(FOLDER / f"{name}.png"))


if __name__ == "__main__":
    finish(journey)
