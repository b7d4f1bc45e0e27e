"""What the mouse does in the slice views: look around, brightness and contrast, distances, the linked crosshair."""

from __future__ import annotations

from ..core.errors import InputError
from ..mrml.display import cross_at
from ..mrml.distances import add_distance, distances, length_mm
from ..mrml.grey_window import reset_window, shift_window
from ..presenters import texts
from .session import Session

SHORTEST_MM = 0.1
"""A line that is shorter is a click."""


class ToolsPart:
    """Fills ``tools`` and ``distances`` of the state; ``tool`` is what the mouse does, which the page follows."""

    def __init__(self, session: Session) -> None:
        self._session = session
        tools = [{"id": name, "name": word, "hint": hint} for name, (word, hint) in texts.TOOLS.items()]
        session.state.update({"tool": "look", "tools": tools, "distances": []})

    def shift_window(self, wider: float, higher: float) -> None:
        """Change brightness and contrast; see ``mrml.grey_window``."""
        scan = self._session.shown_scan()
        if scan is not None:
            shift_window(scan, min(max(wider, -1.0), 1.0), min(max(higher, -1.0), 1.0))
            self._session.stage.redraw()

    def reset_window(self) -> None:
        """Brightness and contrast as at first."""
        scan = self._session.shown_scan()
        if scan is not None:
            reset_window(scan)
            self._session.stage.redraw()

    def measure(self, view: str, ends: list[float]) -> None:
        """Draw a line between two points of a slice view, and say how long it is.

        Args:
            ends: x and y of both, as shares of the view's width and height from its upper left corner.
        """
        start, end = self._point(view, ends[:2]), self._point(view, ends[2:])
        node = add_distance(self._session.scene, start, end)
        if length_mm(node) < SHORTEST_MM:
            self._session.scene.RemoveNode(node)
        self._tell()

    def clear_distances(self) -> None:
        """Remove every line."""
        for node in distances(self._session.scene):
            self._session.scene.RemoveNode(node)
        self._tell()

    def look_at(self, view: str, place: list[float]) -> None:
        """Move all slices to a point of one of them, and mark it with the crosshair."""
        point = self._point(view, place)
        cross_at(self._session.scene, point)
        self._session.stage.centre_on(point)

    def _point(self, view: str, place: list[float]) -> tuple[float, float, float]:
        if view not in self._session.stage.slice_nodes:
            raise InputError("This works in the slice views only.")
        x, y = (min(max(value, 0.0), 1.0) for value in place)
        return self._session.stage.point_at(view, x, y)

    def _tell(self) -> None:
        self._session.state.distances = [f"{length_mm(node):.1f} mm" for node in distances(self._session.scene)]
        self._session.stage.redraw()
