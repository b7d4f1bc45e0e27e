"""Journey 8: a DICOM scan in, DICOM segmentation and parametric map out, read back with our own reader."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import slicer
from journey import Skip, add_phantom, finish, load_dicom, open_module, parameters, run_and_wait, write_dicom


def journey():
    """What comes back is what the module shows; a scan that is no DICOM gets a sentence."""
    if find_spec("highdicom") is None:
        raise Skip("highdicom, which an official Slicer brings, is not in this Slicer's Python")
    widget = open_module()
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("SURE_JOURNEY_FOLDER")))
    phantom = add_phantom(widget)
    write_dicom(phantom, folder / "series")
    scan = load_dicom(widget, folder / "series")
    parameters(widget).inputVolume = scan
    published = run_and_wait(widget)
    assert published is not None, widget.ui.statusLabel.text
    widget.panel.context.desktop.choose_folder = lambda title: folder
    _export(widget, "dicom")
    assert widget.ui.exportLabel.text.startswith("Exported to "), widget.ui.exportLabel.text
    output = next(folder.glob("*dicom"))
    _compare(published, output)
    slicer.mrmlScene.RemoveNode(scan)


def _compare(published, output):
    from SUREUncertaintyLib.export.dicom_reading import read_dicom_map, read_dicom_segments
    from SUREUncertaintyLib.export.not_analysed import with_background
    from SUREUncertaintyLib.mrml.remeasure import current_labels
    from SUREUncertaintyLib.mrml.volume_nodes import volume_from_node

    uncertainty = volume_from_node(published.uncertainty)
    labels, _ = current_labels(published.segmentation, uncertainty)
    kind = published.segmentation.GetAttribute("SURE.Kind")
    back = read_dicom_map(output / f"uncertainty-{kind}.dcm")
    assert back.grid.matches(uncertainty.grid, 1e-3)
    assert np.array_equal(back.array, with_background(uncertainty.array))
    segments = read_dicom_segments(output / "segmentation.dcm")
    found = sum(int(mask.array.sum()) for mask in segments.masks.values())
    assert found == np.count_nonzero(labels.array) > 0


def _export(widget, choice):
    selector = widget.ui.exportSelector
    selector.setCurrentIndex(selector.findData(choice))
    widget.ui.exportButton.click()


if __name__ == "__main__":
    finish(journey)
