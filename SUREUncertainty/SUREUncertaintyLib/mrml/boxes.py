"""Regions of interest to and from Slicer's ROI nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer

from ..core.errors import InputError
from ..core.roi import Roi
from .safe_names import unique_name

SUGGESTED = "SURE.Suggested"
"""Attribute of boxes that *Suggest* made; its value is the box's name there."""

OUTLINE_OPACITY = 0.0
GLYPH_PERCENT = 1.5
"""Size of a box's handles, of the view; half of Slicer's own."""


def roi_from_node(node: Any) -> Roi:
    """The bounding box of an ROI node in RAS mm, parent transforms included.

    Raises:
        InputError: the box is not placed yet, or has no volume.
    """
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    low, high = (bounds[0], bounds[2], bounds[4]), (bounds[1], bounds[3], bounds[5])
    if not np.isfinite(bounds).all() or not all(a < b for a, b in zip(low, high, strict=True)):
        raise InputError(
            f"The region '{node.GetName()}' has no volume yet. Place it in a slice view, or choose no region."
        )
    return Roi(node.GetName(), low, high)


def add_roi_node(scene: Any, roi: Roi) -> Any:
    """An ROI node for a box, with the box's inside clear so that the scan shows."""
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", unique_name(scene, roi.name))
    place_roi(node, roi)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetFillOpacity(OUTLINE_OPACITY)
    node.GetDisplayNode().SetPropertiesLabelVisibility(False)  # the name would lie over the structure
    node.GetDisplayNode().SetGlyphScale(GLYPH_PERCENT)
    return node


def replace_suggested(scene: Any, rois: Sequence[Roi]) -> list[Any]:
    """ROI nodes for boxes that were suggested, in the place of those of an earlier suggestion; drawn boxes stay."""
    found = slicer.util.getNodesByClass("vtkMRMLMarkupsROINode", scene)
    return replace_named(scene, rois, [node for node in found if node.GetAttribute(SUGGESTED)], SUGGESTED)


def replace_named(scene: Any, rois: Sequence[Roi], earlier: Sequence[Any], attribute: str) -> list[Any]:
    """ROI nodes for boxes, in the place of earlier ones: a box of the same name moves, the others go.

    Args:
        attribute: of the nodes; holds the box's name, as a node may have been given another one.
    """
    nodes = []
    left = list(earlier)
    for roi in rois:
        node = next((node for node in left if node.GetAttribute(attribute) == roi.name), None)
        if node is None:
            node = add_roi_node(scene, roi)
            node.SetAttribute(attribute, roi.name)
        else:
            left.remove(node)
        place_roi(node, roi)
        nodes.append(node)
    for node in left:
        scene.RemoveNode(node)
    return nodes


def place_roi(node: Any, roi: Roi) -> None:
    """Move an ROI node to a box; the node's name stays."""
    node.SetCenter(*(float(x) for x in (np.asarray(roi.low) + roi.high) / 2))
    node.SetSize(*(float(x) for x in np.asarray(roi.high) - roi.low))


def box_around(centre: Sequence[float], size: Sequence[float], name: str) -> Roi:
    """A box of ``size`` mm around a RAS position."""
    low = tuple(float(c - s / 2) for c, s in zip(centre, size, strict=True))
    high = tuple(float(c + s / 2) for c, s in zip(centre, size, strict=True))
    return Roi(name, (low[0], low[1], low[2]), (high[0], high[1], high[2]))
