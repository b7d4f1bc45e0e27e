"""What every part of the page works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..mrml.nodes import MODEL, PublishedNodes, published_nodes
from .four_views import Stage


@dataclass
class Session:
    """One scene, shown in all windows alike.

    Attributes:
        state: what the page shows, shared by all windows (trame's state).
        flush: sends the state to the windows.
        segmentation: the result that the parts show; everything else of the result hangs on it.
    """

    stage: Stage
    state: Any
    flush: Callable[[], None]
    segmentation: Any = None

    @property
    def scene(self) -> Any:
        """The scene."""
        return self.stage.scene

    def published(self) -> PublishedNodes | None:
        """The result that is shown; None without one, or when a part of it was deleted."""
        node = self.segmentation
        if node is None or not self.scene.IsNodePresent(node) or node.GetAttribute(MODEL) is None:
            return None
        nodes = published_nodes(node)
        return None if nodes.scan is None or nodes.uncertainty is None else nodes

    def shown_scan(self) -> Any:
        """The volume that the slice views show below everything else; None without one."""
        composite = self.stage.logic(next(iter(self.stage.slice_nodes))).GetSliceCompositeNode()
        return self.scene.GetNodeByID(composite.GetBackgroundVolumeID() or "")

    def say(self, text: str, kind: str = "info") -> None:
        """Show a message; ``kind`` is info, warning or error."""
        self.state.message = {"text": text, "kind": kind}

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """A number of the state within bounds: a window may send anything."""
        value = self.state[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            return default
        return float(min(max(value, low), high))

    def choice(self, name: str, allowed: Any, default: str) -> str:
        """A text of the state if it is one of the allowed ones."""
        value = self.state[name]
        return value if isinstance(value, str) and value in allowed else default
