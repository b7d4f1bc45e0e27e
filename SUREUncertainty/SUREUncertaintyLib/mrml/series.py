"""A robustness series in a scene: a table, its chart, and the damaged scans with their results as sequences."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import slicer
import vtk

from ..analysis.noise_levels import LevelRow
from ..core.volume import Volume
from .nodes import PublishedNodes
from .volume import fill_volume

SERIES = "SURE.series"
"""Role of the segmentation's reference to the chart of its last series."""

_COLUMNS = (
    ("level", "Noise strength"),
    ("agreement", "Agreement (Dice)"),
    ("doubt", "Mean doubt"),
    ("volume_ml", "Volume (ml)"),
)
_CURVES = (("agreement", (0.26, 0.52, 0.76)), ("doubt", (0.91, 0.42, 0.14)))


@dataclass(frozen=True)
class SeriesNodes:
    """What a series leaves in the scene."""

    table: Any
    chart: Any
    browser: Any


def publish_series(
    scene: Any, name: str, rows: Sequence[LevelRow], steps: Sequence[tuple[float, Volume]], published: PublishedNodes
) -> SeriesNodes:
    """Put a series into the scene.

    Args:
        rows: one a level.
        steps: (level, map of doubt on a right-handed grid) to scrub through.
    """
    table = _fill_table(scene, name, rows)
    chart = _add_chart(scene, name, table)
    published.segmentation.SetNodeReferenceID(SERIES, chart.GetID())
    return SeriesNodes(table, chart, _add_sequence(scene, name, steps))


def _fill_table(scene: Any, name: str, rows: Sequence[LevelRow]) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", scene.GenerateUniqueName(f"{name} series"))
    table = vtk.vtkTable()
    for field, _ in _COLUMNS:
        array = vtk.vtkDoubleArray()
        array.SetName(field)
        for row in rows:
            array.InsertNextValue(getattr(row, field))
        table.AddColumn(array)
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)
    for field, title in _COLUMNS:
        node.SetColumnTitle(field, title)
    return node


def _add_chart(scene: Any, name: str, table: Any) -> Any:
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", scene.GenerateUniqueName(f"{name} chart"))
    titles = dict(_COLUMNS)
    for field, colour in _CURVES:
        series = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", titles[field])
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetXColumnName("level")
        series.SetYColumnName(field)
        series.SetLineStyle(slicer.vtkMRMLPlotSeriesNode.LineStyleSolid)
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle)
        series.SetColor(*colour)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetTitle(name)
    chart.SetXAxisTitle(titles["level"])
    chart.SetYAxisTitle("Dice / doubt")
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 1.05)
    return chart


def _add_sequence(scene: Any, name: str, steps: Sequence[tuple[float, Volume]]) -> Any:
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", scene.GenerateUniqueName(f"{name} maps"))
    sequence.SetIndexName("strength")
    sequence.SetIndexUnit("")
    for level, volume in steps:
        frame = slicer.vtkMRMLScalarVolumeNode()
        frame.SetName(f"{name} {level:.1f}")
        fill_volume(frame, volume, ExitStack())
        sequence.SetDataNodeAtValue(frame, f"{level:.1f}")
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", scene.GenerateUniqueName(f"{name} browser"))
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    return browser
