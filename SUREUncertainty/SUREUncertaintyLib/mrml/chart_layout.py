"""A layout with charts beside the views: three slices, 3D, and one plot below the other at the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer

_FIRST_LAYOUT = 5031
"""Number of the layout with one chart; Slicer's own ones lie below 1000, and extensions choose theirs."""

_SLICE = (
    '<item><view class="vtkMRMLSliceNode" singletontag="{name}"><property name="orientation" action="default">'
    '{orientation}</property><property name="viewlabel" action="default">{letter}</property>'
    '<property name="viewcolor" action="default">{colour}</property></view></item>'
)
_THREED = (
    '<item><view class="vtkMRMLViewNode" singletontag="1"><property name="viewlabel" action="default">1</property>'
    "</view></item>"
)
_PLOT = (
    '<item><view class="vtkMRMLPlotViewNode" singletontag="{tag}"><property name="viewlabel" action="default">'
    "{number}</property></view></item>"
)


def show_charts(scene: Any, charts: Sequence[Any]) -> None:
    """Switch to the layout for so many charts, and show them in it; none of the other views goes.

    Args:
        charts: plot chart nodes, from top to bottom.
    """
    layout = _layout_node(scene)
    number = _FIRST_LAYOUT + len(charts) - 1
    if not layout.IsLayoutDescription(number):
        layout.AddLayoutDescription(number, layout_description(len(charts)))
    layout.SetViewArrangement(number)  # the layout manager makes the views that do not exist yet
    for place, chart in enumerate(charts):
        for view in slicer.util.getNodesByClass("vtkMRMLPlotViewNode", scene):
            if view.GetSingletonTag() == plot_tag(place):
                view.SetPlotChartNodeID(chart.GetID())


def plot_tag(place: int) -> str:
    """The singleton tag of the plot view at a place, counted from 0."""
    return f"SUREPlot{place + 1}"


def layout_description(count: int) -> str:
    """Slicer's XML for the four views with ``count`` plots at their right."""
    red, green, yellow = (
        _SLICE.format(name=name, orientation=orientation, letter=name[0], colour=colour)
        for name, orientation, colour in (
            ("Red", "Axial", "#F34A33"),
            ("Green", "Coronal", "#6EB04B"),
            ("Yellow", "Sagittal", "#EDD54C"),
        )
    )
    rows = "".join(f'<item><layout type="horizontal">{row}</layout></item>' for row in (red + _THREED, green + yellow))
    plots = "".join(_PLOT.format(tag=plot_tag(place), number=place + 1) for place in range(count))
    return (
        '<layout type="horizontal" split="true">'
        f'<item splitSize="700"><layout type="vertical">{rows}</layout></item>'
        f'<item splitSize="300"><layout type="vertical">{plots}</layout></item></layout>'
    )


def _layout_node(scene: Any) -> Any:
    """The scene's layout node; the application has made one."""
    found = slicer.util.getNodesByClass("vtkMRMLLayoutNode", scene)
    return found[0] if found else scene.AddNode(slicer.vtkMRMLLayoutNode())
