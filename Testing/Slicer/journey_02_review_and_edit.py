"""Journey 2: jump through the most uncertain regions, edit one, see the table change."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import slicer
from journey import add_phantom, finish, open_module, run_and_wait


def journey():
    """Five places (or as many as there are), then an edit inside the band."""
    from SUREUncertaintyLib.mrml.segmentation_nodes import own_segments

    widget = open_module()
    add_phantom(widget)
    published = run_and_wait(widget)
    assert published is not None, widget.ui.statusLabel.text
    seen = []
    for _ in range(min(5, published.regions.GetNumberOfRows())):
        widget.ui.nextUncertainButton.click()
        seen.append(widget.ui.regionLabel.text)
    assert len(set(seen)) == len(seen)
    widget.ui.editButton.click()
    edited = own_segments(published.segmentation)[0]
    slicer.vtkSlicerSegmentationsModuleLogic.ClearSegment(published.segmentation, edited)
    open_module()
    widget.enter()
    assert published.structures.GetTable().GetValueByName(0, "voxels").ToInt() == 0


if __name__ == "__main__":
    finish(journey)
