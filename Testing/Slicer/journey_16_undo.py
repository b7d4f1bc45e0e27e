"""Journey 16: an edit is taken back, and the numbers with it."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import slicer
from journey import Stopwatch, add_phantom, finish, measured, open_module, run_and_wait


def journey():
    """What Segment Editor brings back is measured again."""
    from SUREUncertaintyLib.mrml.segmentation_nodes import own_segments

    widget = open_module()
    add_phantom(widget)
    published = run_and_wait(widget)
    assert published is not None, widget.ui.statusLabel.text
    before = voxels_of(published)
    widget.ui.editButton.click()
    undo = undo_of(published.segmentation)
    edited = own_segments(published.segmentation)[0]
    slicer.vtkSlicerSegmentationsModuleLogic.ClearSegment(published.segmentation, edited)
    published.segmentation.GetSegmentation().GetSegment(edited).Modified()  # by this the editor knows of the edit
    open_module()
    widget.enter()
    assert voxels_of(published) == 0
    undo()
    with Stopwatch("measuring again"):
        open_module()
        widget.panel.edited()
        widget.enter()
    assert voxels_of(published) == before
    measured("voxels before and after the undo", f"{before}, {voxels_of(published)}")


def undo_of(segmentation):
    """Segment Editor's own undo of what comes now; a copy of the segmentation where there is no Segment Editor."""
    try:
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    except AttributeError:
        before = slicer.vtkSegmentation()
        before.DeepCopy(segmentation.GetSegmentation())
        return lambda: segmentation.GetSegmentation().DeepCopy(before)
    editor.saveStateForUndo()
    return editor.undo


def voxels_of(published):
    """Voxels of the first structure, as the table has them."""
    return published.structures.GetTable().GetValueByName(0, "voxels").ToInt()


if __name__ == "__main__":
    finish(journey)
