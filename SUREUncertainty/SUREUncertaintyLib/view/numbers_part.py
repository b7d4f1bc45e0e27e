"""Results and numbers: which structures were found, what to be careful about, and the table for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..analysis.in_samples import absent_words
from ..core.rounding import decimals, significant
from ..mrml.display import show_surfaces
from ..mrml.nodes import PublishedNodes, all_published
from ..mrml.outlines import follow_outlines, show_smooth_outlines
from ..mrml.segmentation_nodes import own_segments
from ..mrml.table_nodes import STRUCTURE_COLUMNS, table_text
from ..presenters.result_sentences import measured_trust, shown_verdict
from .session import Session

LABEL_VALUE = "value"
"""A column that only programs need."""


class NumbersPart:
    """Fills ``results``, ``structures``, ``verdict``, ``columns`` and ``rows`` of the state."""

    def __init__(self, session: Session) -> None:
        self._session = session
        session.state.update({"results": [], "result": "", "surfaces": True, "smooth": False, "trust": None})
        self.show(None)

    def show(self, published: PublishedNodes | None) -> None:
        """Show a result; None for no result."""
        state = self._session.state
        results = all_published(self._session.scene)
        state.results = [{"id": r.segmentation.GetID(), "name": result_name(r)} for r in results]
        state.result = "" if published is None else published.segmentation.GetID()
        state.trust = None
        shown = shown_verdict(published) if published else None
        state.verdict = None if shown is None else asdict(shown)
        state.structures = _structures(published) if published else []
        state.columns = [column.title for column in STRUCTURE_COLUMNS if column.name != LABEL_VALUE]
        rows = _rows(published.structures) if published and published.structures else []
        names = [column.name for column in STRUCTURE_COLUMNS]
        state.rows = [[cell for cell, name in zip(row, names, strict=True) if name != LABEL_VALUE] for row in rows]

    def show_surface(self) -> None:
        """Make or hide the structures' surfaces in 3D, and smooth their outlines, as the state says."""
        published = self._session.published()
        if published is None:
            return
        show_smooth_outlines(published.segmentation, self._session.state.smooth is True)
        if self._session.state.surfaces is True:
            show_surfaces(published)
        else:
            published.segmentation.GetDisplayNode().SetVisibility3D(False)

    def show_segment(self, identifier: Any, visible: Any) -> None:
        """Show or hide one structure in all views."""
        published = self._session.published()
        if published is not None and identifier in own_segments(published.segmentation):
            published.segmentation.GetDisplayNode().SetSegmentVisibility(identifier, visible is True)
            follow_outlines(published.segmentation)
            self._session.state.structures = _structures(published)

    def measure_trust(self) -> None:
        """Say whether uncertainty is low at sharp edges."""
        published = self._session.published()
        if published is not None:
            self._session.state.trust = asdict(measured_trust(published, str))

    def csv(self, separator: str) -> str:
        """The table of structures as text."""
        published = self._session.published()
        return "" if published is None else table_text(published.structures, separator)


def result_name(published: PublishedNodes) -> str:
    """What a result is called in the list."""
    return str(published.segmentation.GetName())


def _structures(published: PublishedNodes) -> list[dict[str, Any]]:
    """Name, colour, visibility, volume and uncertainty of the structures, in their order."""
    node, display = published.segmentation, published.segmentation.GetDisplayNode()
    known = _numbers(published.structures) if published.structures else {}
    found = []
    for identifier in own_segments(node):
        segment = node.GetSegmentation().GetSegment(identifier)
        values = known.get(segment.GetName(), {})
        found.append(
            {
                "id": identifier,
                "name": segment.GetName(),
                "colour": "rgb({:.0f} {:.0f} {:.0f})".format(*(255 * part for part in segment.GetColor())),
                "visible": bool(display.GetSegmentVisibility(identifier)),
                "dice": decimals(values.get("predicted_dice")),
                "dice_low": decimals(values.get("predicted_dice_low")),
                "dice_high": decimals(values.get("predicted_dice_high")),
                "volume": _volume(values),
                "low": decimals(values.get("volume_low_ml")),
                "high": decimals(values.get("volume_high_ml")),
                "axial": decimals(values.get("axial_mm"), 1),
                "axial_low": decimals(values.get("axial_low_mm"), 1),
                "axial_high": decimals(values.get("axial_high_mm"), 1),
                "longest": decimals(values.get("longest_mm"), 1),
                "uncertainty": decimals(values.get("mean_uncertainty")),
            }
        )
    return found


def _volume(values: Mapping[str, float]) -> str:
    """The volume, or that there is none; "" where nothing was measured."""
    if values and not values["voxels"]:
        return absent_words(int(values.get("samples", 0)), int(values.get("samples_with", 0)))
    return decimals(values.get("volume_ml"))


def _numbers(node: Any) -> dict[str, dict[str, float]]:
    """The numbers of every structure by its name and the columns'."""
    table = node.GetTable()
    names = [column.name for column in STRUCTURE_COLUMNS if table.GetColumnByName(column.name) is not None]
    return {
        str(table.GetValueByName(row, "name").ToString()): {
            name: table.GetValueByName(row, name).ToDouble() for name in names
        }
        for row in range(table.GetNumberOfRows())
    }


def _rows(node: Any) -> list[list[str]]:
    """The table of structures, numbers with three significant digits."""
    table = node.GetTable()
    names = [column.name for column in STRUCTURE_COLUMNS]
    return [[_cell(table, row, name) for name in names] for row in range(table.GetNumberOfRows())]


def _cell(table: Any, row: int, name: str) -> str:
    column = table.GetColumnByName(name)
    if column is None:
        return ""
    value = table.GetValueByName(row, name)
    if not value.IsNumeric():
        return str(value.ToString())
    return significant(value.ToDouble())
