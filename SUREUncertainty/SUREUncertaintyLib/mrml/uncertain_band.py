"""The uncertain band as a hidden segment, so that Segment Editor can keep editing inside it.

The scan stays the editor's source volume; "editable area: inside single segment" names the band.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from .nodes import PublishedNodes
from .outlines import follow_outlines
from .uncertainty_nodes import HIGHEST
from .volume_nodes import image_array, vtk_image

BAND_ID = "SURE_uncertain_band"
_COLOUR = (0.97, 0.82, 0.24)


def add_band_segment(published: PublishedNodes, low: float, high: float = HIGHEST) -> str:
    """Make or renew the band segment of uncertainty in low..high and hide it; its ID."""
    node = published.segmentation
    segmentation = node.GetSegmentation()
    if segmentation.GetSegment(BAND_ID) is not None:
        segmentation.RemoveSegment(BAND_ID)
    segment = slicer.vtkSegment()
    segment.SetName("Uncertain band")
    segment.SetColor(*_COLOUR)
    name = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    segment.AddRepresentation(name, _band_image(published.uncertainty, low, high))
    segmentation.AddSegment(segment, BAND_ID)
    _hide(node)
    return BAND_ID


def limit_editing(editor: Any, published: PublishedNodes) -> None:
    """Let Segment Editor (its parameter node) change only voxels of the band, and never the hidden band itself.

    Segment Editor selects the first segment and shows what it selects. The band must not stay so: as a visible segment
    it would be overwritten. Its list of segments puts a new one first; the band belongs at the end.
    """
    segments = published.segmentation.GetSegmentation()
    segments.SetSegmentIndex(BAND_ID, segments.GetNumberOfSegments() - 1)
    names = [segments.GetNthSegmentID(number) for number in range(segments.GetNumberOfSegments())]
    editor.SetSelectedSegmentID(next((name for name in names if name != BAND_ID), ""))
    _hide(published.segmentation)
    editor.SetMaskSegmentID(BAND_ID)
    editor.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment)
    editor.SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteVisibleSegments)


def _hide(node: Any) -> None:
    if node.GetDisplayNode() is not None:
        node.GetDisplayNode().SetSegmentVisibility(BAND_ID, False)
        follow_outlines(node)


def _band_image(uncertainty: Any, low: float, high: float) -> Any:
    from ..analysis.band_editing import uncertain_band

    band = uncertain_band(image_array(uncertainty.GetImageData()), low, high)
    image = vtk_image(band.astype(np.uint8), slicer.vtkOrientedImageData())
    matrix = vtkMatrix4x4()
    uncertainty.GetIJKToRASMatrix(matrix)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    return image
