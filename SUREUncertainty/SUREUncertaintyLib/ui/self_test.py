"""The module's self test, run by CTest and by Reload & Test in a real Slicer."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from ..core.phantom import PHANTOM_ROIS, make_phantom
from ..mrml.boxes import add_roi_node
from ..mrml.nodes import all_published
from ..mrml.remeasure import current_labels, remeasure
from ..mrml.review import is_reviewed, mark_reviewed, read_regions
from ..mrml.volume_nodes import add_volume, volume_from_node
from ..packages.catalogue import list_packages
from .blocking import segment_node
from .dependencies import Dependencies
from .module_panel import resources_folder


def run_self_test(test: Any) -> None:
    """Phantom in, result out, edited, reviewed, saved and read back. ``test`` is a unittest.TestCase."""
    missing = Dependencies(resources_folder(), resources_folder()).missing()
    if missing:
        test.skipTest(f"not installed: {', '.join(item.package for item in missing)}")
    _check_panel()
    _check_run()
    _check_results()
    test.delayDisplay("Test passed")


def _check_panel() -> None:
    """The widget opens, its settings are typed and live in the scene."""
    slicer.util.selectModule("SUREUncertainty")
    widget = slicer.modules.SUREUncertaintyWidget
    parameters = widget.logic.getParameterNode()
    parameters.overlayOpacity = 0.25
    assert abs(widget.ui.opacitySlider.value - 0.25) < 1e-6
    widget.ui.opacitySlider.value = 0.5
    assert abs(parameters.overlayOpacity - 0.5) < 1e-6
    assert not widget.ui.runButton.enabled
    assert widget.ui.runButton.toolTip != ""


def _check_run() -> None:
    """A run on the phantom gives labels and uncertainty on the scan's own grid, and leaves the scan as it was."""
    scene = slicer.mrmlScene
    scan = add_volume(scene, make_phantom())
    before = volume_from_node(scan).array.copy()
    region = add_roi_node(scene, PHANTOM_ROIS[0])
    published = segment_node(scene, scan, list_packages()[0].name, region)
    uncertainty = volume_from_node(published.uncertainty)
    assert uncertainty.grid.matches(volume_from_node(scan).grid)
    assert np.array_equal(before, volume_from_node(scan).array)
    assert 0.0 < float(np.nanmax(uncertainty.array)) <= 1.0
    labels, label_set = current_labels(published.segmentation, uncertainty)
    assert published.structures.GetNumberOfRows() == len(label_set) > 0
    assert labels.array.shape == before.shape


def _check_results() -> None:
    """Marks of reviewed regions and new measurements stay with the result."""
    published = all_published(slicer.mrmlScene)[0]
    regions = read_regions(published.regions)
    if regions:
        mark_reviewed(published.regions, regions[0], True)
        assert is_reviewed(published.regions, regions[0])
    remeasure(published)
    assert len(read_regions(published.regions)) == len(regions)
