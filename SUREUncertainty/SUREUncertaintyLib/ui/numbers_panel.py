"""Numbers: the table of structures, how uncertainty behaves at edges, and the way into other programs."""

from __future__ import annotations

from typing import Any

from ..mrml.nodes import PublishedNodes
from ..mrml.table_nodes import STRUCTURE_COLUMNS, table_text
from ..presenters import texts
from ..presenters.result_sentences import measured_trust
from .context import PanelContext, tell

SHOWN_COLUMNS = ("name", "volume_ml", "mean_uncertainty", "share_over_threshold")
"""What fits into the panel; range and forecast stand at its top, and copies and files hold every column."""


class NumbersPanel:
    """The table node of the chosen result."""

    def __init__(self, context: PanelContext) -> None:
        self._context, self.ui = context, context.ui

    def connect(self) -> None:
        """Listen to the widgets."""
        self.ui.copyButton.connect("clicked(bool)", self._on_copy)
        self.ui.csvButton.connect("clicked(bool)", self._on_csv)
        self.ui.trustButton.connect("clicked(bool)", self._on_trust)

    def show(self, published: PublishedNodes | None) -> None:
        """Show a result; None for no result."""
        table = None if published is None else published.structures
        self.ui.numbersTable.setMRMLTableNode(table)
        for number, column in enumerate(STRUCTURE_COLUMNS if table is not None else ()):
            self.ui.numbersTable.setColumnHidden(number, column.name not in SHOWN_COLUMNS)
        meanings = (texts.COPY_TOOLTIP, texts.CSV_TOOLTIP, texts.TRUST_TOOLTIP)
        buttons = (self.ui.copyButton, self.ui.csvButton, self.ui.trustButton)
        for button, meaning in zip(buttons, meanings, strict=True):
            self._context.allow(button, published is not None, meaning, texts.NO_RESULT)
        tell(self.ui.trustLabel, "")

    def _table(self) -> Any:
        published = self._context.published()
        return None if published is None else published.structures

    def _on_copy(self, _checked: bool = False) -> None:
        if self._table() is not None:
            self._context.desktop.copy(table_text(self._table(), "\t"))

    def _on_csv(self, _checked: bool = False) -> None:
        table = self._table()
        if table is None:
            return
        say = self._context.translate
        name, pattern = f"{table.GetName()}.csv", f"{say(texts.TABLES)} (*.csv)"
        path = self._context.desktop.save_path(say(texts.SAVE_TABLE), name, pattern)
        if path is not None:
            path.write_text(table_text(table, ","), encoding="utf-8", newline="")

    def _on_trust(self, _checked: bool = False) -> None:
        published = self._context.published()
        if published is not None:
            tell(self.ui.trustLabel, measured_trust(published, self._context.translate).html())
