"""Follow-up: growth between two results of the scene, with its range, and the probability that it is real."""

from __future__ import annotations

from html import escape
from typing import Any

from ..core.errors import InputError, SureError
from ..mrml.nodes import PublishedNodes
from ..presenters import texts
from ..presenters.follow_up import (
    Comparison,
    chosen_pair,
    comparable_results,
    compare_published,
    days_hint,
    require_unedited,
    result_title,
)
from .context import PanelContext, chosen, fill_combo, tell
from .export_panel import free_folder


class FollowUpPanel:
    """Two lists of results, the days between their scans, and what changed."""

    def __init__(self, context: PanelContext) -> None:
        self._context, self.ui = context, context.ui
        self._found: dict[str, PublishedNodes] = {}
        self._scans: tuple[tuple[str, str], ...] = ()
        self.comparison: Comparison | None = None

    def connect(self) -> None:
        """Listen to the widgets."""
        self.ui.followBeforeSelector.connect("currentIndexChanged(int)", self._on_chosen)
        self.ui.followAfterSelector.connect("currentIndexChanged(int)", self._on_chosen)
        self.ui.followButton.connect("clicked(bool)", self._on_compare)
        self.ui.followReportButton.connect("clicked(bool)", self._on_report)
        self.refresh()

    def refresh(self) -> None:
        """List the results of the scene that have samples; what was compared is gone."""
        has_scene = self._context.parameters is not None
        self._found = comparable_results(self._context.scene()) if has_scene else {}
        names = {identifier: result_title(one) for identifier, one in self._found.items()}
        selectors = (self.ui.followBeforeSelector, self.ui.followAfterSelector)
        for selector, kept in zip(selectors, chosen_pair(names, *map(chosen, selectors)), strict=True):
            fill_combo(selector, names, kept)
        self._on_chosen()

    def _on_chosen(self, *_: Any) -> None:
        """Other results: what was said about the earlier ones goes."""
        self._show(None)
        before, after = chosen(self.ui.followBeforeSelector), chosen(self.ui.followAfterSelector)
        pair = [self._found[key] for key in (before, after) if key in self._found]
        scans = tuple((one.segmentation.GetID(), one.scan.GetName()) for one in pair)
        if scans != self._scans:  # days that were typed are those of other scans
            self._scans = scans
            self.ui.followDaysEdit.text = ""
        obstacle = texts.FOLLOW_UP_NEEDS_TWO if len(self._found) < 2 else texts.FOLLOW_UP_SAME
        self._context.allow(
            self.ui.followButton, len(self._found) > 1 and before != after, texts.FOLLOW_UP_TOOLTIP, obstacle
        )
        tell(self.ui.followLabel, self._context.translate(obstacle) if len(self._found) < 2 else "")
        hint = days_hint(pair, self._context.translate)
        self.ui.followDaysEdit.setPlaceholderText(hint)

    def _on_compare(self, _checked: bool = False) -> None:
        before, after = chosen(self.ui.followBeforeSelector), chosen(self.ui.followAfterSelector)
        try:
            if before not in self._found or after not in self._found or before == after:
                raise InputError(self._context.translate(texts.FOLLOW_UP_SAME))
            days = str(self.ui.followDaysEdit.text)
            self._show(compare_published(self._found[before], self._found[after], days))
        except SureError as error:
            self._show(None)
            tell(self.ui.followLabel, str(error))
            self._context.desktop.error(str(error))

    def _on_report(self, _checked: bool = False) -> None:
        if self.comparison is None or self._is_outdated():
            return
        parent = self._context.desktop.choose_folder(self._context.translate(texts.FOLLOW_UP_FOLDER))
        if self.comparison is None or parent is None:
            return
        from ..follow_up.run import write_follow_up  # brings matplotlib along

        output = free_folder(parent, f"{self.comparison.results['after'].where} follow-up")
        try:
            write_follow_up(self.comparison.document, self.comparison.results, output)
        except SureError as error:
            self._context.desktop.error(str(error))
            return
        done = self._context.translate(texts.FOLLOW_UP_SAVED).format(folder=output)
        tell(self.ui.followLabel, f"{self._words()}<p>{escape(done)}</p>")

    def _is_outdated(self) -> bool:
        """Whether an outline was edited since; what was said of it goes."""
        pair = (chosen(self.ui.followBeforeSelector), chosen(self.ui.followAfterSelector))
        try:
            require_unedited(*(self._found[key] for key in pair))
        except SureError as error:
            self._show(None)
            tell(self.ui.followLabel, str(error))
            self._context.desktop.error(str(error))
            return True
        return False

    def _show(self, comparison: Comparison | None) -> None:
        self.comparison = comparison
        say, desktop = self._context.translate, self._context.desktop
        sizes, changes = ((), ()) if comparison is None else (comparison.sizes, comparison.changes)
        desktop.fill_table(self.ui.followSizesTable, [say(header) for header in texts.FOLLOW_UP_SIZES], sizes, ())
        desktop.fill_table(self.ui.followChangesTable, [say(header) for header in texts.FOLLOW_UP_CHANGES], changes, ())
        for table in (self.ui.followSizesTable, self.ui.followChangesTable):
            table.setVisible(comparison is not None)
        meaning, obstacle = texts.FOLLOW_UP_REPORT_TOOLTIP, texts.FOLLOW_UP_NEEDS_COMPARISON
        self._context.allow(self.ui.followReportButton, comparison is not None, meaning, obstacle)
        tell(self.ui.followLabel, self._words())

    def _words(self) -> str:
        if self.comparison is None:
            return ""
        told = "".join(f"<p>{escape(text)}</p>" for text in self.comparison.told(self._context.translate))
        return f"{told}<p><small>{escape(self.comparison.method)}</small></p>"
