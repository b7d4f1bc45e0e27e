"""Journey 1: sample, Run, then overlay, legend, 3D and table."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import slicer
from journey import add_phantom, finish, open_module, parameters, run_and_wait


def journey():
    """From nothing to a result that shows."""
    widget = open_module()
    scan = add_phantom(widget)
    published = run_and_wait(widget)
    assert published is not None, widget.ui.statusLabel.text
    assert published.scan is scan
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")[0]
    assert composite.GetBackgroundVolumeID() == scan.GetID()
    assert composite.GetForegroundVolumeID() == published.uncertainty.GetID()
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(published.uncertainty)
    assert legend.GetVisibility()
    parameters(widget).threed = "cloud"
    published.segmentation.CreateClosedSurfaceRepresentation()
    assert published.structures.GetNumberOfRows() > 0
    assert widget.ui.histogramLabel.text != ""


if __name__ == "__main__":
    finish(journey)
