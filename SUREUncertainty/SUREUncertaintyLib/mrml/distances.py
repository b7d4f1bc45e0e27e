"""Distances that a person measured: straight lines between two points, which stay in the scene."""

from __future__ import annotations

from typing import Any

import slicer
from vtkmodules.vtkCommonDataModel import vtkVector3d

_MEASURED = "SURE.Distance"
_COLOUR = (1.0, 1.0, 1.0)
"""Neither of structures nor of uncertainty."""
Point = tuple[float, float, float]


def add_distance(scene: Any, start: Point, end: Point) -> Any:
    """A line node between two points, RAS mm; views write its length beside it."""
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", scene.GenerateUniqueName("Distance"))
    node.SetAttribute(_MEASURED, "yes")
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetSelectedColor(*_COLOUR)
    for point in (start, end):
        node.AddControlPointWorld(vtkVector3d(*point))
    node.SetLocked(True)
    return node


def distances(scene: Any) -> list[Any]:
    """The lines that ``add_distance`` made, in order."""
    nodes = slicer.util.getNodesByClass("vtkMRMLMarkupsLineNode", scene)
    return [node for node in nodes if node.GetAttribute(_MEASURED)]


def length_mm(node: Any) -> float:
    """Length of such a line."""
    return float(node.GetLineLengthWorld())
