"""Structures and uncertain regions as table nodes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkIntArray, vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkTable

from ..analysis.rows import StructureRow, UncertainRegion
from ..core.safe_names import table_row


@dataclass(frozen=True)
class Column:
    """One column: ``name`` for scripts (as in the CSV files), ``title`` for people, ``read`` takes it from a row."""

    name: str
    title: str
    unit: str
    kind: Any
    read: Callable[[Any], Any]


def _field(name: str, title: str, unit: str = "", kind: Any = vtkDoubleArray) -> Column:
    return Column(name, title, unit, kind, lambda row: getattr(row, name))


def _position(axis: int, letter: str) -> Column:
    title = f"{letter} (mm)"
    return Column(f"{letter.lower()}_mm", title, "mm", vtkDoubleArray, lambda row: row.centre_ras[axis])


STRUCTURE_COLUMNS = (
    _field("name", "Structure", kind=vtkStringArray),
    _field("value", "Label value", kind=vtkIntArray),
    _field("predicted_dice", "Predicted Dice"),
    _field("predicted_dice_low", "Predicted Dice, low end"),
    _field("predicted_dice_high", "Predicted Dice, high end"),
    _field("volume_ml", "Volume (ml)", "ml"),
    _field("volume_low_ml", "Volume, low end (ml)", "ml"),
    _field("volume_high_ml", "Volume, high end (ml)", "ml"),
    _field("axial_mm", "Longest axial diameter (mm)", "mm"),
    _field("axial_low_mm", "Longest axial diameter, low end (mm)", "mm"),
    _field("axial_high_mm", "Longest axial diameter, high end (mm)", "mm"),
    _field("longest_mm", "Longest diameter (mm)", "mm"),
    _field("longest_low_mm", "Longest diameter, low end (mm)", "mm"),
    _field("longest_high_mm", "Longest diameter, high end (mm)", "mm"),
    _field("volume_mm3", "Volume (mm3)", "mm3"),
    _field("voxels", "Voxels", kind=vtkIntArray),
    _field("mean_uncertainty", "Uncertainty, mean"),
    _field("p95_uncertainty", "Uncertainty, 95th percentile"),
    _field("share_over_threshold", "Share over threshold"),
    _field("boundary_uncertainty", "Uncertainty at the boundary"),
    _field("interior_uncertainty", "Uncertainty inside"),
    _field("perception_scale", "Perception scale (low = hard)"),
    _field("difficulty", "Difficulty among scans not trained on", kind=vtkStringArray),
    _field("predicted_dice_at_least", "Predicted Dice, at least in 9 of 10"),
    _field("predicted_surface_dice", "Predicted surface Dice"),
    _field("predicted_surface_dice_low", "Predicted surface Dice, low end"),
    _field("predicted_surface_dice_high", "Predicted surface Dice, high end"),
    _field("no_forecast", "Why no forecast", kind=vtkStringArray),
    _field("samples", "Samples", kind=vtkIntArray),
    _field("samples_with", "Samples that have it", kind=vtkIntArray),
)

REGION_COLUMNS = (
    _field("rank", "Rank", kind=vtkIntArray),
    _field("structure", "Structure", kind=vtkStringArray),
    _position(0, "R"),
    _position(1, "A"),
    _position(2, "S"),
    _field("size_mm3", "Size (mm3)", "mm3"),
    _field("voxels", "Voxels", kind=vtkIntArray),
    _field("mean_uncertainty", "Uncertainty, mean"),
    _field("max_uncertainty", "Uncertainty, highest"),
    _field("score", "Uncertainty times size (mm3)", "mm3"),
    _field("reason", "Where", kind=vtkStringArray),
)


def fill_structures(node: Any, rows: Sequence[StructureRow], undo: ExitStack) -> None:
    """One line a structure; what is undefined for an empty structure is NaN."""
    _fill(node, STRUCTURE_COLUMNS, rows, undo)


def fill_regions(node: Any, rows: Sequence[UncertainRegion], undo: ExitStack) -> None:
    """One line a region, the most uncertain first, with a position in RAS mm to jump to."""
    _fill(node, REGION_COLUMNS, rows, undo)


def _fill(node: Any, columns: Sequence[Column], rows: Sequence[Any], undo: ExitStack) -> None:
    undo.callback(node.SetAndObserveTable, node.GetTable())
    table = vtkTable()
    for column in columns:
        array = column.kind()
        array.SetName(column.name)
        for row in rows:
            array.InsertNextValue(column.read(row))
        table.AddColumn(array)
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    for column in columns:
        node.SetColumnTitle(column.name, column.title)
        node.SetColumnUnitLabel(column.name, column.unit)


def table_text(node: Any, separator: str) -> str:
    """A table node as text: titles, then one line a row; undefined numbers are empty."""
    lines = io.StringIO()
    writer = csv.writer(lines, delimiter=separator)
    table = node.GetTable()
    names = [table.GetColumnName(column) for column in range(table.GetNumberOfColumns())]
    writer.writerow([node.GetColumnTitle(name) or name for name in names])
    for row in range(table.GetNumberOfRows()):
        cells = [table.GetValueByName(row, name).ToString() for name in names]
        writer.writerow(table_row("" if cell == "nan" else cell for cell in cells))
    return lines.getvalue()
