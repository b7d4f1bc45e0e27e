"""Boxes that a search placed around the structures of a scan: shown, movable, and used again as they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer

from ..core.roi import Roi
from .boxes import replace_named

SCAN = "SURE.located.scan"
"""Reference from a box to the scan that was searched."""

MODEL = "SURE.located.model"
"""Attribute of a box: the model that searched."""

NAME = "SURE.located.box"
"""Attribute of a box: its name in the search."""


def located_nodes(scene: Any, scan: Any, model: str) -> list[Any]:
    """The boxes that a search by this model placed in this scan, in the order of their making."""
    nodes = slicer.util.getNodesByClass("vtkMRMLMarkupsROINode", scene)
    return [n for n in nodes if n.GetAttribute(MODEL) == model and n.GetNodeReferenceID(SCAN) == scan.GetID()]


def show_located(scene: Any, scan: Any, model: str, rois: Sequence[Roi]) -> list[Any]:
    """Show the boxes that a search found, in the place of those that this model found in this scan before."""
    nodes = replace_named(scene, rois, located_nodes(scene, scan, model), NAME)
    for node in nodes:
        node.SetAttribute(MODEL, model)
        node.SetNodeReferenceID(SCAN, scan.GetID())
    return nodes
