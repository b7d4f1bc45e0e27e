"""The slider of each slice view, and the words on it: position, and which way the patient lies."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from vtkmodules.vtkCommonCore import vtkCommand

from ..mrml.headless import SLICE_VIEWS
from ..mrml.views import direction_letters, vtk_array
from .session import Session

SECONDS = 0.05
"""How often the page hears of slices that move."""

REST_SECONDS = 0.5
"""How long slices lie still until the page hears of them once more."""


class SliceBars:
    """Fills ``slice_NAME`` (offset, mm) and ``bars`` of the state and follows the former."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._handle: asyncio.TimerHandle | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._told: dict[str, float] = {}
        for name, node in session.stage.slice_nodes.items():
            session.state[f"slice_{name}"] = 0.0
            node.AddObserver(vtkCommand.ModifiedEvent, self._on_modified)
        self.update()

    def follow(self, name: str, **_: Any) -> None:
        """Move a slice to where its slider is."""
        low, high = self._range(name)
        offset = self._session.number(f"slice_{name}", low, high, 0.0)
        if abs(offset - self._told.get(name, np.inf)) > 1e-6:
            self._told[name] = offset
            self._session.stage.logic(name).SetSliceOffset(offset)

    def update(self) -> None:
        """Tell where the slices are."""
        self._session.state.bars = {name: self._bar(name, n) for name, n in self._session.stage.slice_nodes.items()}
        for name in self._session.stage.slice_nodes:
            self._told[name] = round(float(self._session.stage.logic(name).GetSliceOffset()), 3)
            self._session.state[f"slice_{name}"] = self._told[name]

    def _on_modified(self, *_: Any) -> None:
        """Many events a second are told once."""
        if self._handle is None:
            try:
                self._handle = asyncio.get_running_loop().call_later(SECONDS, self._tell)
            except RuntimeError:
                return  # before the server runs there is nobody to tell

    def _tell(self) -> None:
        self._handle = None
        self.update()
        self._session.flush()
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(REST_SECONDS, self._tell_anew)

    def _tell_anew(self) -> None:
        """Tell where the slices came to rest even if the state says so already.

        A page that moved a slider while an older place was under way to it would else go on showing the older one;
        while slices move, an echo would pull the slider back under the hand.
        """
        self._rest = None
        self._session.state.dirty(*(f"slice_{name}" for name in self._session.stage.slice_nodes))
        self._session.flush()

    def _range(self, name: str) -> tuple[float, float]:
        bounds = [0.0] * 6
        self._session.stage.logic(name).GetLowestVolumeSliceBounds(bounds)
        low, high = bounds[4], bounds[5]
        return (low, high) if low < high else (-100.0, 100.0)

    def _bar(self, name: str, node: Any) -> dict[str, Any]:
        matrix = vtk_array(node.GetSliceToRAS())
        axis = int(np.argmax(np.abs(matrix[:3, 2])))
        spacing = self._session.stage.logic(name).GetLowestVolumeSliceSpacing()
        low, high = self._range(name)
        right, left = direction_letters(matrix[:3, 0])
        top, bottom = direction_letters(matrix[:3, 1])
        return {
            "name": SLICE_VIEWS[name],
            "position": f"{'RAS'[axis]} {matrix[axis, 3]:.1f} mm",
            "low": round(low, 3),
            "high": round(high, 3),
            "step": round(float(spacing[2]) or 1.0, 4) if spacing is not None else 1.0,
            "edges": {"right": right, "left": left, "top": top, "bottom": bottom},
        }
