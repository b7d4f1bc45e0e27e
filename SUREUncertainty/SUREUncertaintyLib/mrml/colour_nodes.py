"""The colour table node of uncertainty, the same in desktop Slicer and outside."""

from __future__ import annotations

from typing import Any

import slicer

from ..core.uncertainty_colours import uncertainty_colours

_COUNT = 256
_KIND = "SURE.Colours"
_NAME = "Uncertainty"


def uncertainty_colour_node(scene: Any) -> Any:
    """The scene's colour table of uncertainty, made on first use and shared by all results.

    An own table, because the scales that desktop Slicer reads from files do not exist outside it.
    """
    for node in slicer.util.getNodesByClass("vtkMRMLColorTableNode", scene):
        if node.GetAttribute(_KIND) == _NAME and node.GetNumberOfColors() == _COUNT:
            return node
    node = scene.AddNewNodeByClass("vtkMRMLColorTableNode", scene.GenerateUniqueName(_NAME))
    node.SetTypeToUser()
    node.SetAttribute(_KIND, _NAME)
    node.SetAttribute("Category", "SURE Uncertainty")
    node.SetNumberOfColors(_COUNT)
    for number, (red, green, blue) in enumerate(uncertainty_colours(_COUNT)):
        node.SetColor(number, f"{number / (_COUNT - 1):.3f}", red, green, blue, 1.0)
    node.GetLookupTable().SetRange(0, _COUNT - 1)
    return node
