"""Outlines of structures in slices: lines in the structures' colours with a dark edge, so that they can be told from
the hottest colours of uncertainty.

The dark edge is a second display node of the segmentation, a pixel wide in voxel outlines and the core of smooth ones.
Slicer's own panels know the first display node only; the edge follows it by ``follow_outlines``.
"""

from __future__ import annotations

from typing import Any

import slicer

from .safe_names import node_name
from .segmentation_nodes import surfaces_shown

_EDGE = "SURE.edge"
"""Attribute of the display node that draws the dark edge."""

_DARK = (0.03, 0.03, 0.05)
_WIDTHS = {False: 3, True: 5}
"""Pixels of a line and its edge together, along voxels and smooth: a smooth line has colour on both sides of it."""


def create_outlines(scene: Any, segmentation: Any) -> None:
    """First display of a segmentation: contours only, so that the uncertainty map shows its own colours."""
    segmentation.CreateDefaultDisplayNodes()
    main = segmentation.GetDisplayNode()
    edge = scene.AddNewNodeByClass("vtkMRMLSegmentationDisplayNode", node_name(f"{segmentation.GetName()} edges"))
    edge.SetAttribute(_EDGE, "1")
    edge.SetVisibility3D(False)
    edge.SetSliceIntersectionThickness(1)
    segmentation.AddAndObserveDisplayNodeID(edge.GetID())
    for display in (main, edge):
        display.SetOpacity2DFill(0.0)
        display.SetOpacity2DOutline(1.0)
    main.SetSliceIntersectionThickness(_WIDTHS[False])
    follow_outlines(segmentation)


def follow_outlines(segmentation: Any) -> None:
    """Show the dark edge of what the first display node shows, in its representation, and of nothing else."""
    main, edge = segmentation.GetDisplayNode(), _edge_of(segmentation)
    if main is None or edge is None:
        return
    modified = edge.StartModify()
    edge.SetVisibility(main.GetVisibility())
    edge.SetVisibility2D(main.GetVisibility2D())
    edge.SetVisibility2DOutline(main.GetVisibility2DOutline())
    edge.SetOpacity2DOutline(main.GetOpacity2DOutline())
    edge.SetPreferredDisplayRepresentationName2D(main.GetPreferredDisplayRepresentationName2D() or "")
    for name in segmentation.GetSegmentation().GetSegmentIDs():
        edge.SetSegmentOverrideColor(name, *_DARK)
        edge.SetSegmentVisibility(name, main.GetSegmentVisibility(name) and main.GetSegmentVisibility2DOutline(name))
    edge.EndModify(modified)


def draw_edge_last(segmentation: Any) -> None:
    """Put the dark edge over the coloured lines in every view.

    Views draw what they began to draw first below the rest. When segments are exchanged, they begin anew with display
    nodes in the order of their places in memory, so that half of the time the edge would lie hidden under the lines. A
    display node that comes back into the scene is drawn last.
    """
    edge = _edge_of(segmentation)
    scene = segmentation.GetScene()
    if edge is None or scene is None:
        return
    scene.RemoveNode(edge)
    scene.AddNode(edge)
    segmentation.AddAndObserveDisplayNodeID(edge.GetID())
    follow_outlines(segmentation)


def show_outlines(segmentation: Any, visible: bool) -> None:
    """Draw or hide all structures of a segmentation."""
    display = segmentation.GetDisplayNode()
    if display is not None:
        display.SetVisibility(visible)
        follow_outlines(segmentation)


def show_smooth_outlines(segmentation: Any, smooth: bool) -> None:
    """Draw outlines in slices from the smoothed surfaces, or along the voxels."""
    if smooth and not surfaces_shown(segmentation):
        segmentation.GetDisplayNode().SetVisibility3D(False)  # what is made for slices is not to appear in 3D
    if smooth:
        segmentation.CreateClosedSurfaceRepresentation()
    names = slicer.vtkSegmentationConverter
    kind = names.GetClosedSurfaceRepresentationName() if smooth else names.GetBinaryLabelmapRepresentationName()
    display = segmentation.GetDisplayNode()
    display.SetPreferredDisplayRepresentationName2D(kind)
    display.SetSliceIntersectionThickness(_WIDTHS[smooth])
    draw_edge_last(segmentation)


def _edge_of(segmentation: Any) -> Any:
    displays = (segmentation.GetNthDisplayNode(n) for n in range(segmentation.GetNumberOfDisplayNodes()))
    return next((display for display in displays if display is not None and display.GetAttribute(_EDGE)), None)
