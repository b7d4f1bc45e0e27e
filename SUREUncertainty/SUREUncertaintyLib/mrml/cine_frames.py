"""A scan over time in a scene: end-diastole as a result, every frame as a step, and the volume curve as a chart."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import slicer

from ..analysis.verdict import STATUSES
from ..cine.cine_record import frame_record
from ..cine.cine_result import CineResult
from ..core.volume import Volume
from .charts import add_line_chart, fill_numbers
from .nodes import PublishedNodes
from .outlines import follow_outlines
from .publish import publish
from .safe_names import node_name, unique_name
from .segmentation_nodes import fill_segmentation
from .sequences import Track, add_browser
from .uncertainty_nodes import create_uncertainty_display, threshold_of
from .volume_nodes import fill_volume, right_handed, show_grey, storable

FRAMES, CURVE = "SURE.frames", "SURE.curve"
"""Roles of the segmentation's references to the browser of the frames and the chart of their volumes."""

TITLES = {
    "frame": "Frame",
    "time_ms": "Time (ms)",
    "volume_ml": "Volume (ml)",
    "volume_low_ml": "Low end of the range (ml)",
    "volume_high_ml": "High end of the range (ml)",
    "verdict": "Verdict (0 usable, 1 check, 2 do not use)",
}
_COLOURS = {
    "volume_ml": (0.26, 0.65, 0.52),
    "volume_low_ml": (0.6, 0.65, 0.7),
    "volume_high_ml": (0.6, 0.65, 0.7),
}


@dataclass(frozen=True)
class CineNodes:
    """What a scan over time leaves in the scene. ``scan``, ``uncertainty`` and ``outline`` show the browser's frame."""

    published: PublishedNodes
    table: Any
    chart: Any
    browser: Any
    uncertainty: Any
    scan: Any
    outline: Any


def publish_cine(scene: Any, result: CineResult) -> CineNodes:
    """Put a scan over time into the scene, on the frame of end-diastole.

    Frames stand in sequence nodes with one browser, which Slicer's Sequences module plays.
    """
    published = publish(scene, result.end_diastole)
    name = node_name(result.sequence.name)
    table, chart = _curve(scene, name, result)
    tracks = [
        Track(f"{name}: uncertainty of the frame", [_volume(v) for v in _frames(result, result.uncertainty)]),
        Track(f"{name}: frame", [_volume(frame) for frame in result.sequence.frames]),
        Track(
            f"{name}: outline of the frame", [_outline(v, result, published) for v in _frames(result, result.labels)]
        ),
    ]
    values = [str(frame.number + 1) for frame in result.frames]
    browser, (uncertainty, scan, outline) = add_browser(scene, f"{name} frames", "frame", values, tracks)
    create_uncertainty_display(scene, uncertainty, threshold_of(published.uncertainty))
    show_grey(scan, result.sequence.frames[0].array)
    _show_outline(outline)
    browser.SetSelectedItemNumber(result.phases[0])
    published.segmentation.SetNodeReferenceID(FRAMES, browser.GetID())
    published.segmentation.SetNodeReferenceID(CURVE, chart.GetID())
    return CineNodes(published, table, chart, browser, uncertainty, scan, outline)


def show_frame_only(published: PublishedNodes, outline: Any) -> None:
    """Draw the frame's own outline in the slice views, and that of end-diastole in 3D only."""
    display = published.segmentation.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(False)
    follow_outlines(published.segmentation)
    outline.GetDisplayNode().SetVisibility(True)


def curve_of(published: PublishedNodes) -> dict[str, list[float]] | None:
    """The columns of a result's volume curve, by the keys of ``TITLES``; None for a result of one volume."""
    chart = published.segmentation.GetNodeReference(CURVE)
    if chart is None or not chart.GetNumberOfPlotSeriesNodes():
        return None
    table = chart.GetNthPlotSeriesNode(0).GetTableNode().GetTable()
    rows = range(table.GetNumberOfRows())
    names = [table.GetColumnName(n) for n in range(table.GetNumberOfColumns())]
    return {name: [table.GetValueByName(n, name).ToDouble() for n in rows] for name in names}


def _curve(scene: Any, name: str, result: CineResult) -> tuple[Any, Any]:
    records = [frame_record(frame) for frame in result.frames]
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", unique_name(scene, f"{name} volumes"))
    columns = [key for key in TITLES if key != "verdict" and (key != "time_ms" or result.knows_times)]
    numbers = {key: [float(record[key]) for record in records] for key in columns}
    numbers["verdict"] = [float(STATUSES.index(frame.verdict.status)) for frame in result.frames]
    fill_numbers(table, numbers, TITLES)
    x = "time_ms" if result.knows_times else "frame"
    chart = add_line_chart(scene, f"{name}: {result.structure.name}", table, x, _COLOURS)
    chart.SetYAxisTitle("ml")
    return table, chart


def _frames(result: CineResult, arrays: Any) -> list[Volume]:
    return [Volume(array, result.sequence.grid) for array in arrays]


def _volume(volume: Volume) -> Any:
    node = slicer.vtkMRMLScalarVolumeNode()
    fill_volume(node, right_handed(volume.with_array(storable(volume.array))), ExitStack())
    return node


def _outline(labels: Volume, result: CineResult, published: PublishedNodes) -> Any:
    node = slicer.vtkMRMLSegmentationNode()
    fill_segmentation(node, right_handed(labels), result.end_diastole.label_set, published.scan, ExitStack())
    return node


def _show_outline(node: Any) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility(False)  # until somebody steps through the frames
    display.SetVisibility3D(False)
    display.SetOpacity2DFill(0.0)
    display.SetSliceIntersectionThickness(2)
