"""Colour table nodes of uncertainty, the same in desktop Slicer and outside."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.uncertainty_colours import uncertainty_colours
from .safe_names import unique_name

_COUNT = 256
_OWN = "SURE.Colours"


def add_colour_node(scene: Any, name: str) -> Any:
    """A colour table of uncertainty; every map has one of its own, since each shows another part of the scale.

    Own tables, because the scales that desktop Slicer reads from files do not exist outside it.
    """
    node = scene.AddNewNodeByClass("vtkMRMLColorTableNode", unique_name(scene, name))
    node.SetTypeToUser()
    node.SetAttribute(_OWN, "1")
    node.SetAttribute("Category", "SURE Uncertainty")
    node.SetHideFromEditors(True)
    node.SetNumberOfColors(_COUNT)
    node.GetLookupTable().SetRange(0, _COUNT - 1)
    fill_colours(node, 0.0, 1.0)
    return node


def is_own_colours(node: Any) -> bool:
    """Whether a colour table is that of one map alone."""
    return node is not None and node.GetAttribute(_OWN) == "1"


def fill_colours(node: Any, start: float, end: float) -> None:
    """Put the part start..end (shares) of the scale of uncertainty into a table."""
    scale = uncertainty_colours()
    places = np.linspace(start, end, _COUNT) * (len(scale) - 1)
    modified = node.StartModify()
    for number, (red, green, blue) in enumerate(scale[places.round().astype(int)].tolist()):
        node.SetColor(number, f"{number / (_COUNT - 1):.3f}", red, green, blue, 1.0)
    node.EndModify(modified)
