"""Uncertainty maps as scalar volume nodes with colours, window, threshold and legend."""

from __future__ import annotations

from typing import Any

import slicer

from ..core.uncertainty_colours import uncertainty_window
from .colour_nodes import uncertainty_colour_node

HIGHEST = 1.0
"""The most uncertainty there is: vacuity C/S and entropy over ln C both lie in 0..1."""

_ROUNDING = 1e-3


def create_uncertainty_display(scene: Any, node: Any, threshold: float) -> None:
    """First display of a map: colours of uncertainty as in the report, nothing drawn below ``threshold``.

    Slice views ignore the transparency of colour tables, so that the threshold alone lets the scan show through.
    """
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(uncertainty_colour_node(scene).GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(*uncertainty_window(threshold))
    set_threshold(node, threshold)


def set_threshold(node: Any, low: float, high: float = HIGHEST) -> None:
    """Draw only voxels whose uncertainty lies in low..high."""
    display = node.GetDisplayNode()
    display.AutoThresholdOff()
    display.SetThreshold(low, high + _ROUNDING)
    display.ApplyThresholdOn()


def threshold_of(node: Any) -> float:
    """The uncertainty from which on voxels of the map are drawn."""
    return float(node.GetDisplayNode().GetLowerThreshold())


def band_of(node: Any) -> tuple[float, float]:
    """Lowest and highest uncertainty of the voxels of the map that are drawn."""
    display = node.GetDisplayNode()
    low, high = float(display.GetLowerThreshold()), float(display.GetUpperThreshold()) - _ROUNDING
    return low, min(round(high, 6), HIGHEST)


def add_legend(node: Any, title: str) -> Any:
    """The colour legend of a map, made where it does not exist.

    Views draw only legends that change after them: see ``refresh_legend``.
    """
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node)
    if legend is not None:
        return legend
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(node)
    legend.SetTitleText(title)
    legend.SetLabelFormat("%.2f")
    legend.SetNumberOfLabels(5)
    legend.SetMaxNumberOfColors(256)
    legend.SetPosition(0.95, 0.5)
    legend.SetSize(0.055, 0.42)  # the text follows the size
    legend.GetLabelTextProperty().SetFontFamilyToArial()
    return legend


def refresh_legend(node: Any, display: Any = None) -> None:
    """Make views that are older than the legend of a map draw it: they take notice only of a change of visibility.

    ``display`` is the display node of the map that the legend explains, by default the one of slices; 3D views show
    a legend only where it explains a display of theirs.
    """
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node)
    if legend is not None and legend.GetVisibility():
        legend.SetAndObservePrimaryDisplayNode(display or node.GetDisplayNode())
        legend.SetVisibility(False)
        legend.SetVisibility(True)
