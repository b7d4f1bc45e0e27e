"""A robustness series in a scene: a table, its chart, and the damaged scans with their results as sequences."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import slicer

from ..analysis.noise_series import LevelRow
from ..core.volume import Volume
from .charts import add_line_chart, axis_range, fill_numbers
from .nodes import PublishedNodes
from .safe_names import unique_name
from .sequences import Track, add_browser
from .uncertainty_nodes import create_uncertainty_display, largest_of, threshold_of
from .volume_nodes import fill_volume, show_grey

SERIES = "SURE.series"
STEPS = "SURE.steps"
"""Roles of the segmentation's references to the chart and the browser of its last series."""

_TITLES = {
    "level": "Noise strength",
    "agreement": "Agreement (Dice)",
    "uncertainty": "Mean uncertainty",
    "volume_ml": "Volume (ml)",
}


@dataclass(frozen=True)
class SeriesChart:
    """One chart of a series; ``title`` takes the kind of damage in words."""

    title: str
    colour: tuple[float, float, float]


CHARTS = {
    "agreement": SeriesChart("{damage}: how much stays", (0.26, 0.52, 0.76)),
    "uncertainty": SeriesChart("{damage}: mean uncertainty", (0.91, 0.42, 0.14)),
}
"""By column: each has an axis of its own, since a change of uncertainty is small beside one of agreement."""


@dataclass(frozen=True)
class SeriesNodes:
    """What a series leaves in the scene. ``scan`` and ``uncertainty`` show the browser's step; ``charts`` as in
    ``CHARTS``."""

    table: Any
    charts: tuple[Any, ...]
    browser: Any
    scan: Any
    uncertainty: Any


@dataclass(frozen=True)
class SeriesStep:
    """One strength: the damaged scan and its uncertainty map, both on a right-handed grid."""

    level: float
    scan: Volume
    uncertainty: Volume


def publish_series(
    scene: Any,
    name: str,
    damage: str,
    rows: Sequence[LevelRow],
    steps: Sequence[SeriesStep],
    published: PublishedNodes,
) -> SeriesNodes:
    """Put a series into the scene: a table, its charts, and the damaged scans with their maps as sequences.

    Args:
        name: of the nodes; ``damage``: the kind of damage in words, for the titles.
        rows: one a level.
        steps: what to step through, one a level.
        published: the result at the last level, whose colours the maps take.
    """
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", unique_name(scene, f"{name} series"))
    fill_numbers(table, {field: [getattr(row, field) for row in rows] for field in _TITLES}, _TITLES)
    charts = tuple(_chart(scene, damage, table, column, rows) for column in CHARTS)
    tracks = [
        Track(f"{name}: uncertainty", [_node(step.uncertainty) for step in steps]),
        Track(f"{name}: scan", [_node(step.scan) for step in steps]),
    ]
    browser, (uncertainty, scan) = add_browser(
        scene, f"{name} steps", "strength", [f"{s.level:.1f}" for s in steps], tracks
    )
    primary = published.uncertainty
    create_uncertainty_display(scene, uncertainty, threshold_of(primary), largest_of(primary))
    show_grey(scan, steps[0].scan.array)
    published.segmentation.SetNodeReferenceID(SERIES, charts[0].GetID())
    published.segmentation.SetNodeReferenceID(STEPS, browser.GetID())
    return SeriesNodes(table, charts, browser, scan, uncertainty)


def _chart(scene: Any, damage: str, table: Any, column: str, rows: Sequence[LevelRow]) -> Any:
    chart = add_line_chart(
        scene, CHARTS[column].title.format(damage=damage), table, "level", {column: CHARTS[column].colour}
    )
    chart.SetLegendVisibility(False)
    chart.SetYAxisTitle(_TITLES[column])
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(*axis_range([getattr(row, column) for row in rows]))
    return chart


def _node(volume: Volume) -> Any:
    node = slicer.vtkMRMLScalarVolumeNode()
    fill_volume(node, volume, ExitStack())
    return node
