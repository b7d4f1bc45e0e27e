"""The curves of a training in a scene, drawn anew as its log grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..training.training_log import curves_of
from .charts import add_line_chart, fill_numbers
from .safe_names import unique_name

TITLES = {"step": "Step", "loss": "Loss (share of the first)", "tuning_dice": "Dice on scans set aside"}
_COLOURS = {"loss": (0.91, 0.42, 0.14), "tuning_dice": (0.26, 0.52, 0.76)}


@dataclass(frozen=True)
class CurveNodes:
    """Table and chart of one training."""

    table: Any
    chart: Any


def add_curves(scene: Any, name: str) -> CurveNodes:
    """Table and chart without content."""
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", unique_name(scene, f"{name} training"))
    update_table(table, [])
    chart = add_line_chart(scene, f"Training of {name}", table, "step", _COLOURS)
    return CurveNodes(table, chart)


def update_curves(nodes: CurveNodes, rows: Sequence[Mapping[str, float]]) -> None:
    """Draw the rows of a training log (``training.training_log.read_rows``)."""
    update_table(nodes.table, rows)
    nodes.chart.Modified()


def update_table(table: Any, rows: Sequence[Mapping[str, float]]) -> None:
    """A column a curve; a Dice that was not measured at a step is NaN, which charts leave out."""
    fill_numbers(table, curves_of(rows), TITLES)
