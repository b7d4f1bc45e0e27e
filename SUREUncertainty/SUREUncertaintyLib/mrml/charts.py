"""Tables of numbers and line charts of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import slicer
from vtkmodules.vtkCommonCore import vtkDoubleArray
from vtkmodules.vtkCommonDataModel import vtkTable

from .safe_names import unique_name

Colour = tuple[float, float, float]

MARKS = 4
"""Marks of an axis above its lower end."""

_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
"""Between two marks; with the smallest a whole axis is no longer than what matters."""

TITLE_SIZE = 11
"""Pixels; Slicer's own 20 cut a title of forty letters at both ends of a chart 260 pixels wide."""


def axis_range(values: Sequence[float]) -> tuple[float, float]:
    """Round ends of an axis for values in 0..1, ``MARKS`` steps apart, so that a small change can be seen as one.

    NaN does not count; without any value the axis is 0 to 1.
    """
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    for step in _STEPS:
        bottom = math.floor(low / step + 1e-9) * step
        if bottom + MARKS * step >= high - 1e-9:
            break
    top = min(bottom + MARKS * step, 1.0)
    return round(top - MARKS * step, 6), round(top, 6)


def fill_numbers(node: Any, columns: Mapping[str, Sequence[float]], titles: Mapping[str, str]) -> None:
    """Replace the content of a table node by columns of numbers; ``titles`` are for people."""
    table = vtkTable()
    for name, values in columns.items():
        array = vtkDoubleArray()
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
    chart.SetTitleFontSize(TITLE_SIZE)
    chart.SetXAxisTitle(table.GetColumnTitle(x))
    return chart
