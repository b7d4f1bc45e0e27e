"""Uncertainty maps as scalar volume nodes with colours, window, threshold and legend."""

from __future__ import annotations

from typing import Any

import slicer

from ..core.uncertainty_colours import uncertainty_window
from .colour_nodes import add_colour_node, fill_colours

HIGHEST = 1.0
"""The most uncertainty there is: vacuity C/S and entropy over ln C both lie in 0..1."""

_ROUNDING = 1e-3
_TOP = "SURE.ScaleTop"
"""Attribute of a map: the uncertainty at the pale end of its colours."""

_HIGHEST = "SURE.LargestValue"
"""Attribute of a map: the largest value that it can have."""

_NARROWEST = 0.95
"""A legend begins at the band's lower end, but no higher than this share of the scale."""


def create_uncertainty_display(scene: Any, node: Any, threshold: float, highest: float = HIGHEST) -> None:
    """First display of a map: colours of uncertainty as in the report, nothing drawn below ``threshold``.

    The colours end at ``highest`` at the latest, the largest value that the map can have.

    Slice views ignore the transparency of colour tables, so that the threshold alone lets the scan show through.
    """
    node.CreateDefaultDisplayNodes()
    node.SetAttribute(_TOP, repr(float(uncertainty_window(threshold, highest)[1])))
    node.SetAttribute(_HIGHEST, repr(float(highest)))
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(add_colour_node(scene, f"{node.GetName()} colours").GetID())
    display.AutoWindowLevelOff()
    set_threshold(node, threshold)


def set_threshold(node: Any, low: float, high: float = HIGHEST) -> None:
    """Draw only voxels whose uncertainty lies in low..high; a value keeps its colour, and the legend shows what is
    drawn."""
    display = node.GetDisplayNode()
    display.AutoThresholdOff()
    display.SetThreshold(low, high + _ROUNDING)
    display.ApplyThresholdOn()
    if node.GetAttribute(_TOP) is not None:
        _show_colours_from(node, low, high)


def scale_top(node: Any) -> float:
    """The uncertainty at the pale end of a map's colours, which begin at 0."""
    top = node.GetAttribute(_TOP)
    return float(node.GetDisplayNode().GetWindowLevelMax() if top is None else top)


def largest_of(node: Any) -> float:
    """The largest value that a map can have."""
    return float(node.GetAttribute(_HIGHEST) or HIGHEST)


def threshold_of(node: Any) -> float:
    """The uncertainty from which on voxels of the map are drawn."""
    return float(node.GetDisplayNode().GetLowerThreshold())


def band_of(node: Any) -> tuple[float, float]:
    """Lowest and highest uncertainty of the voxels of the map that are drawn."""
    display = node.GetDisplayNode()
    low, high = float(display.GetLowerThreshold()), float(display.GetUpperThreshold()) - _ROUNDING
    return low, min(round(high, 6), HIGHEST)


def add_legend(node: Any, title: str) -> Any:
    """The colour legend of a map, or of one display of it, made where it does not exist.

    Views draw only legends that change after them: see ``refresh_legend``.
    """
    legend = legend_of(node)
    if legend is not None:
        return legend
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(node)
    legend.SetTitleText(title)
    legend.SetLabelFormat("%.2f")
    legend.SetNumberOfLabels(3)
    legend.SetMaxNumberOfColors(256)
    legend.SetPosition(0.97, 0.92)  # a corner, where there is least of the patient
    legend.SetSize(0.05, 0.3)  # the text follows the size
    legend.GetLabelTextProperty().SetFontFamilyToArial()
    return legend


def legend_of(node: Any) -> Any:
    """The legend of a map, or of one display of it; None without one."""
    displays = [node] if node.IsA("vtkMRMLDisplayNode") else _displays_of(node)
    for legend in slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode", node.GetScene()):
        if legend.GetPrimaryDisplayNode() in displays:
            return legend
    return None  # Slicer's own function finds only legends of the first display


def _displays_of(node: Any) -> list[Any]:
    return [node.GetNthDisplayNode(number) for number in range(node.GetNumberOfDisplayNodes())]


def refresh_legend(node: Any, display: Any = None) -> None:
    """Make views that are older than the legend of a map draw it: they take notice only of a change of visibility.

    ``display`` is the display node of the map that the legend explains, by default the one of slices; 3D views show
    a legend only where it explains a display of theirs.
    """
    legend = legend_of(node)
    if legend is not None and legend.GetVisibility():
        explained = display or node.GetDisplayNode()
        if legend.GetPrimaryDisplayNode() is not explained:
            legend.SetAndObservePrimaryDisplayNode(explained)
        legend.SetVisibility(False)
        legend.SetVisibility(True)


def _show_colours_from(node: Any, low: float, high: float) -> None:
    """Window and colours of the drawn part of the scale."""
    top, display = scale_top(node), node.GetDisplayNode()
    bottom = min(low, _NARROWEST * top)
    upper = min(high, top) if high > bottom else top
    fill_colours(display.GetColorNode(), bottom / top, upper / top)
    display.SetWindowLevelMinMax(bottom, upper)
