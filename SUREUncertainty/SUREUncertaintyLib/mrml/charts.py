"""Tables of numbers and line charts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import slicer
import vtk

from .safe_names import unique_name

Colour = tuple[float, float, float]


def fill_numbers(node: Any, columns: Mapping[str, Sequence[float]], titles: Mapping[str, str]) -> None:
    """Replace the content of a table node by columns of numbers; ``titles`` are for people."""
    table = vtk.vtkTable()
    for name, values in columns.items():
        array = vtk.vtkDoubleArray()
        array.SetName(name)
        for value in values:
            array.InsertNextValue(value)
        table.AddColumn(array)
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)
    for name in columns:
        node.SetColumnTitle(name, titles.get(name, name))


def add_line_chart(scene: Any, name: str, table: Any, x: str, curves: Mapping[str, Colour]) -> Any:
    """A chart of columns of a table against its column ``x``; names are the columns' titles."""
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", unique_name(scene, name))
    for column, colour in curves.items():
        series = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", table.GetColumnTitle(column))
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetXColumnName(x)
        series.SetYColumnName(column)
        series.SetLineStyle(slicer.vtkMRMLPlotSeriesNode.LineStyleSolid)
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle)
        series.SetColor(*colour)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetTitle(name)
    chart.SetXAxisTitle(table.GetColumnTitle(x))
    return chart
