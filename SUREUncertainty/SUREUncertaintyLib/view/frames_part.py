"""Frames of a scan over time: a slider over the cycle, and the volume curve with its range."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..analysis.verdict import STATUSES
from ..core.wording import VERDICT_NAMES
from ..mrml.cine_frames import curve_of
from ..mrml.nodes import PublishedNodes
from ..mrml.steps import FRAMES_KIND, Steps, frame_nodes, go_to_step, steps_in
from ..presenters import texts
from .session import Session

LEFT, RIGHT, TOP, BOTTOM = 40.0, 330.0, 12.0, 150.0
"""Of the curve inside its picture of 340 x 190."""

TICKS = 4
STEP_ML = 5
"""Marks of the axis stand at multiples of this."""


class FramesPart:
    """Follows ``cine_frame`` of the state, from 0; ``cine`` is None unless the shown result is of a scan over time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._steps: Steps | None = None
        session.state.update({"cine": None, "cine_frame": 0, "frame_text": ""})

    def show(self, published: PublishedNodes | None) -> None:
        """Bring slider and curve up to date with the shown result."""
        for node in frame_nodes(self._session.scene):
            if node.IsA("vtkMRMLSegmentationNode"):
                node.GetDisplayNode().SetVisibility(False)
        curve = None if published is None else curve_of(published)
        self._steps = None if published is None else self._frames_of(published)
        state = self._session.state
        if self._steps is None or curve is None:
            state.update({"cine": None, "frame_text": ""})
            return
        state.cine = picture_of(curve)
        state.cine_frame = self._steps.number
        self._go_to(self._steps.number)
        self._tell()

    def update(self) -> None:
        """Show the frame that the slider points at."""
        if self._steps is None:
            return
        number = int(self._session.number("cine_frame", 0, self._steps.count - 1, 0))
        if number != self._steps.number:
            self._go_to(number)
            self._session.stage.redraw()
        self._tell()

    def _go_to(self, number: int) -> None:
        if self._steps is not None:
            go_to_step(self._session.scene, self._steps, number, self._session.number("opacity", 0.0, 1.0, 1.0))

    def _frames_of(self, published: PublishedNodes) -> Steps | None:
        found = steps_in(self._session.scene)
        own = [s for s in found if s.kind == FRAMES_KIND and s.published.segmentation is published.segmentation]
        return own[0] if own else None

    def _tell(self) -> None:
        if self._steps is None or self._session.state.cine is None:
            return
        point = self._session.state.cine["points"][self._steps.number]
        text = texts.STEP_NAMES[FRAMES_KIND].format(value=self._steps.number + 1, count=self._steps.count)
        self._session.state.frame_text = f"{text} {point['text']}"


def picture_of(curve: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """The curve in the coordinates of its picture: points, line, band and marks of the axis."""
    where = curve.get("time_ms") or curve["frame"]
    top = TICKS * STEP_ML * math.ceil(max(1.0, *curve["volume_high_ml"]) / (TICKS * STEP_ML))

    def x(value: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (value - where[0]) / max(where[-1] - where[0], 1e-9), 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)

    columns = zip(
        where, curve["volume_ml"], curve["volume_low_ml"], curve["volume_high_ml"], curve["verdict"], strict=True
    )
    points = [
        _point(n, x(at), y(volume), (volume, low, high), verdict)
        for n, (at, volume, low, high, verdict) in enumerate(columns)
    ]
    lower = [f"{x(at)},{y(low)}" for at, low in zip(where, curve["volume_low_ml"], strict=True)]
    upper = [f"{x(at)},{y(high)}" for at, high in zip(where, curve["volume_high_ml"], strict=True)]
    return {
        "count": len(points),
        "points": points,
        "line": " ".join(f"{point['x']},{point['y']}" for point in points),
        "band": " ".join([*upper, *reversed(lower)]),
        "ticks": [{"y": y(top * n / TICKS), "text": f"{top * n / TICKS:.0f}"} for n in range(TICKS + 1)],
        "axis": "ms" if "time_ms" in curve else "frame",
        "ends": [f"{where[0]:.0f}", f"{where[-1]:.0f}"],
    }


def _point(number: int, x: float, y: float, volume: tuple[float, float, float], verdict: float) -> dict[str, Any]:
    status = STATUSES[int(verdict)]
    value, low, high = (f"{ml:.0f}" for ml in volume)
    text = f"{value} ml ({low} to {high})."
    below = "" if status == STATUSES[0] else f" {VERDICT_NAMES[status]}."
    return {"number": number, "x": x, "y": y, "status": status, "text": text + below}
