"""Numbers: the table of structures, how uncertainty behaves at edges, and the way into other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.translation import Translate
from ..mrml.nodes import PublishedNodes
from ..mrml.remeasure import current_labels
from ..mrml.table_nodes import table_text
from ..mrml.volume_nodes import volume_from_node
from ..presenters import texts
from .context import PanelContext, tell

if TYPE_CHECKING:
    from ..analysis.edge_relation import EdgeTrust


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
        self.ui.numbersTable.setMRMLTableNode(None if published is None else published.structures)
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
            tell(self.ui.trustLabel, trust_text(published, self._context.translate))


def trust_text(published: PublishedNodes, translate: Translate) -> str:
    """Measure whether uncertainty is low at sharp edges, and say it."""
    from ..analysis.edge_relation import edge_trust

    uncertainty = volume_from_node(published.uncertainty)
    labels, _ = current_labels(published.segmentation, uncertainty)
    return trust_sentences(edge_trust(volume_from_node(published.scan), labels, uncertainty), translate)


def trust_sentences(trust: EdgeTrust | None, translate: Translate) -> str:
    """What the relation means, for a clinician."""
    if trust is None:
        return translate(texts.NO_BOUNDARY)
    ucc = translate(texts.UCC_GRADIENT).format(value=trust.ucc)
    ur = translate(texts.UR_GRADIENT).format(value=trust.ur_star)
    return f"{ucc}\n{ur}"
