"""What every panel works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.translation import Text, Translate
from ..mrml.nodes import MODEL, PublishedNodes, published_nodes
from ..presenters.desktop_protocols import Desktop


@dataclass
class PanelContext:
    """Shared by the panels.

    Attributes:
        ui: the widgets of the .ui file by object name.
        scene: gives the scene.
        desktop: side effects outside the panels.
        translate: of texts in the user's language.
        parameters: the parameter node; None while no scene is open.
    """

    ui: Any
    scene: Callable[[], Any]
    desktop: Desktop
    translate: Translate
    parameters: Any = None

    def allow(self, widget: Any, allowed: bool, meaning: Text, obstacle: Text) -> None:
        """Enable a widget with a tooltip that says what it does, or disable it with one that says why."""
        widget.enabled = allowed
        widget.setToolTip(self.translate(meaning if allowed else obstacle))

    def published(self) -> PublishedNodes | None:
        """The result that the panels show; None without one, or when its scan or map was deleted."""
        node = None if self.parameters is None else self.parameters.segmentation
        if node is None or node.GetAttribute(MODEL) is None:
            return None
        nodes = published_nodes(node)
        return None if nodes.scan is None or nodes.uncertainty is None else nodes


def tell(label: Any, text: str) -> None:
    """Say something in a label, which takes no room while it has nothing to say."""
    label.setText(text)
    label.setVisible(bool(text))


def fill_combo(combo: Any, entries: Mapping[str, str], chosen: str) -> None:
    """Replace the entries (data: text) of a combo box without telling anybody, and choose one of them."""
    earlier = combo.blockSignals(True)
    combo.clear()
    for data, text in entries.items():
        combo.addItem(text, data)
    combo.setCurrentIndex(max(0, combo.findData(chosen)))
    combo.blockSignals(earlier)


def choose(combo: Any, data: str) -> None:
    """Choose the entry that carries ``data`` without telling anybody."""
    index = combo.findData(data)
    if index >= 0 and index != combo.currentIndex:
        earlier = combo.blockSignals(True)
        combo.setCurrentIndex(index)
        combo.blockSignals(earlier)


def chosen(combo: Any) -> str:
    """The data of the chosen entry; empty without one."""
    data = combo.itemData(combo.currentIndex) if combo.currentIndex >= 0 else None
    return "" if data is None else str(data)
