"""A scan over time in a scene: end-diastole as a result, every frame as a step, and the volume curve as a chart."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import slicer
from vtkmodules.vtkCommonCore import VTK_ENCODING_UTF_8

from ..analysis.verdict import STATUSES
from ..cine.cine_record import describe_cine, frame_record
from ..cine.cine_result import CineResult
from ..core.volume import Volume
from .charts import add_line_chart, fill_numbers
from .hierarchy import place_in_folder
from .nodes import PublishedNodes, published_nodes, refer
from .outlines import follow_outlines
from .publish import put_result
from .removal import remove_with_displays
from .rollback import all_or_nothing
from .safe_names import node_name, unique_name
from .segmentation_nodes import fill_segmentation
from .sequences import Track, add_browser, sequence_nodes, shown_nodes
from .uncertainty_nodes import create_uncertainty_display, largest_of, threshold_of
from .volume_nodes import fill_volume, right_handed, show_grey, storable

FRAMES, CURVE, NUMBERS = "SURE.frames", "SURE.curve", "SURE.cine"
"""Roles of the segmentation's references to the browser of the frames, the chart of their volumes, and the text that
holds them with the ejection fraction."""

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


def publish_cine(scene: Any, result: CineResult, source: Any = None) -> CineNodes:
    """Put a scan over time into the scene, on the frame of end-diastole.

    Frames stand in sequence nodes with one browser, which Slicer's Sequences module plays. What an earlier run of the
    same model left of the frames is exchanged. When anything fails, the scene is as before.

    Args:
        source: the volume node that shows the frames of the scan where it is in the scene already; it stays as it is.
    """
    with all_or_nothing(scene) as undo:
        segmentation, stale = put_result(scene, result.end_diastole, undo, source=source)
        stale += _earlier_frames(segmentation)
        nodes = _put_frames(scene, result, published_nodes(segmentation), undo)
    remove_with_displays(scene, stale)
    return nodes


def _put_frames(scene: Any, result: CineResult, published: PublishedNodes, undo: ExitStack) -> CineNodes:
    name = node_name(result.sequence.name)
    table, chart = _curve(scene, name, result)
    tracks = [
        Track(f"{name}: uncertainty of the frame", [volume_node_of(v) for v in _frames(result, result.uncertainty)]),
        Track(f"{name}: frame", [volume_node_of(frame) for frame in result.sequence.frames]),
        Track(
            f"{name}: outline of the frame", [_outline(v, result, published) for v in _frames(result, result.labels)]
        ),
    ]
    values = [str(frame.number + 1) for frame in result.frames]
    browser, (uncertainty, scan, outline) = add_browser(scene, f"{name} frames", "frame", values, tracks)
    primary = published.uncertainty
    create_uncertainty_display(scene, uncertainty, threshold_of(primary), largest_of(primary))
    show_grey(scan, result.sequence.frames[0].array)
    _show_outline(outline)
    browser.SetSelectedItemNumber(result.phases[0])
    numbers = scene.AddNewNodeByClass("vtkMRMLTextNode", unique_name(scene, f"{name} numbers"))
    numbers.SetEncoding(VTK_ENCODING_UTF_8)
    numbers.SetText(json.dumps(describe_cine(result), ensure_ascii=False, allow_nan=False))
    for role, node in ((FRAMES, browser), (CURVE, chart), (NUMBERS, numbers)):
        refer(published.segmentation, role, node, undo)
    own = [published.segmentation, table, numbers, scan, uncertainty, outline]
    place_in_folder(scene, published.scan, own, name, undo)
    return CineNodes(published, table, chart, browser, uncertainty, scan, outline)


def show_frame_only(published: PublishedNodes, outline: Any) -> None:
    """Draw the frame's own outline in the slice views, and that of end-diastole in 3D only.

    Outline and filling stay as they are: Slicer's slice controllers complain of a segmentation that has neither.
    """
    display = published.segmentation.GetDisplayNode()
    display.SetVisibility2D(False)
    follow_outlines(published.segmentation)
    outline.GetDisplayNode().SetVisibility(True)


def frames_browser(published: PublishedNodes) -> Any:
    """What steps through the frames of a result; None for a result of one volume."""
    return published.segmentation.GetNodeReference(FRAMES)


def curve_chart(published: PublishedNodes) -> Any:
    """The chart of the volumes of all frames; None for a result of one volume."""
    return published.segmentation.GetNodeReference(CURVE)


def numbers_of(published: PublishedNodes) -> dict[str, Any] | None:
    """Volumes of every frame and the ejection fraction, as in ``cine.json``; None for a result of one volume."""
    node = published.segmentation.GetNodeReference(NUMBERS)
    return json.loads(node.GetText()) if node is not None and node.GetText() else None


def curve_of(published: PublishedNodes) -> dict[str, list[float]] | None:
    """The columns of a result's volume curve, by the keys of ``TITLES``; None for a result of one volume."""
    chart = curve_chart(published)
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


def _earlier_frames(segmentation: Any) -> list[Any]:
    """Everything that an earlier run left of its frames."""
    browser, chart = segmentation.GetNodeReference(FRAMES), segmentation.GetNodeReference(CURVE)
    nodes = [segmentation.GetNodeReference(NUMBERS)]
    if browser is not None:
        nodes += [browser, *sequence_nodes(browser), *shown_nodes(browser)]  # it would show its steps anew
    if chart is not None:
        series = [chart.GetNthPlotSeriesNode(n) for n in range(chart.GetNumberOfPlotSeriesNodes())]
        nodes += [chart, *series, *(one.GetTableNode() for one in series[:1])]
    return [node for node in nodes if node is not None]


def _frames(result: CineResult, arrays: Any) -> list[Volume]:
    return [Volume(array, result.sequence.grid) for array in arrays]


def volume_node_of(volume: Volume) -> Any:
    """A volume node that is in no scene, as a step of a sequence."""
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
