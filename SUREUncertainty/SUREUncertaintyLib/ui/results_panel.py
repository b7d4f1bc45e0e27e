"""Results: the structures, in slices and in 3D, warnings, and the way to Segment Editor."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from ..analysis.rows import Notice
from ..analysis.verdict import Verdict, verdict_of
from ..mrml.camera_focus import focus_of
from ..mrml.nodes import MODEL, PublishedNodes
from ..mrml.uncertain_band import add_band_segment, limit_editing
from ..presenters import texts
from .context import PanelContext, tell

VERDICT_COLOURS = {"usable": "#2e8b57", "check": "#c98500", "do_not_use": "#d0453f"}
"""Readable on light and on dark panels."""


class ResultsPanel:
    """The structures of the chosen result."""

    def __init__(self, context: PanelContext) -> None:
        self._context, self.ui = context, context.ui

    def connect(self) -> None:
        """Listen to the widgets."""
        self.ui.resultSelector.addAttribute("vtkMRMLSegmentationNode", MODEL)
        self.ui.editButton.connect("clicked(bool)", self._on_edit)
        self.ui.show3DButton.connect("toggled(bool)", self._on_3d)

    def show(self, published: PublishedNodes | None) -> None:
        """Show a result; None for no result."""
        node = None if published is None else published.segmentation
        self.ui.segmentsTable.setSegmentationNode(node)
        self.ui.show3DButton.setSegmentationNode(node)
        say, allow = self._context.translate, self._context.allow
        allow(self.ui.show3DButton, published is not None, texts.SHOW_3D_TOOLTIP, texts.NO_RESULT)
        allow(self.ui.editButton, published is not None, texts.EDIT_TOOLTIP, texts.NO_RESULT)
        tell(self.ui.noticesLabel, say(texts.NO_RESULT) if published is None else verdict_html(published, say))

    def _on_3d(self, shown: bool) -> None:
        published = self._context.published()
        if shown and published is not None:
            self._context.desktop.frame_threed(focus_of(published).points)

    def _on_edit(self, _checked: bool = False) -> None:
        published = self._context.published()
        if published is None:
            return
        parameters = self._context.parameters
        add_band_segment(published, parameters.bandLow, parameters.bandHigh)
        editor = self._context.desktop.edit_segments(published.segmentation, published.scan)
        limit_editing(editor, published)


@dataclass(frozen=True)
class ShownVerdict:
    """What the panels say first: the status, its word and meaning, why, and the warnings that have no say in it."""

    status: str
    word: str
    meaning: str
    reasons: tuple[str, ...]
    further: tuple[str, ...]


def shown_verdict(published: PublishedNodes, translate: Callable[[str], str] = str) -> ShownVerdict | None:
    """The verdict of a result, from what it keeps in the scene; of scenes without one, from the warnings there."""
    if published.provenance is None or not published.provenance.GetText():
        return None
    record = json.loads(published.provenance.GetText())
    notices = tuple(Notice(entry["code"], entry["text"]) for entry in record.get("notices", []))
    kept = "status" in record
    verdict = Verdict(record["status"], tuple(record["status_reasons"])) if kept else verdict_of(notices)
    word, meaning = (translate(names[verdict.status]) for names in (texts.VERDICT_NAMES, texts.VERDICT_MEANINGS))
    further = tuple(notice.text for notice in notices if notice.text not in verdict.reasons)
    return ShownVerdict(verdict.status, word, meaning, verdict.reasons, further)


def verdict_html(published: PublishedNodes, translate: Callable[[str], str] = str) -> str:
    """The verdict with its reasons, then further warnings, as rich text; empty where the scene keeps none."""
    shown = shown_verdict(published, translate)
    if shown is None:
        return ""
    head = f'<b style="color:{VERDICT_COLOURS[shown.status]}">{escape(shown.word)}.</b> {escape(shown.meaning)}'
    return "<br>".join([head, *(f"\u2022 {escape(text)}" for text in (*shown.reasons, *shown.further))])
