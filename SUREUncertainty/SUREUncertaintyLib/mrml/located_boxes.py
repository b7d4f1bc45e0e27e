"""Boxes that a search placed around the structures of a scan: shown, movable, and used again as they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer

from ..core.roi import Roi
from .boxes import add_roi_node

SCAN = "SURE.located.scan"
"""Reference from a box to the scan that was searched."""

MODEL = "SURE.located.model"
"""Attribute of a box: the model that searched."""


def located_nodes(scene: Any, scan: Any, model: str) -> list[Any]:
    """The boxes that a search by this model placed in this scan, in the order of their making."""
    nodes = slicer.util.getNodesByClass("vtkMRMLMarkupsROINode", scene)
    return [n for n in nodes if n.GetAttribute(MODEL) == model and n.GetNodeReferenceID(SCAN) == scan.GetID()]


def add_located(scene: Any, scan: Any, model: str, rois: Sequence[Roi]) -> list[Any]:
    """Show the boxes that a search found."""
    nodes = [add_roi_node(scene, roi) for roi in rois]
    for node in nodes:
        node.SetAttribute(MODEL, model)
        node.SetNodeReferenceID(SCAN, scan.GetID())
    return nodes
