"""A training in a worker of its own, with its curves in the scene. Free of Qt."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..core.errors import SureError
from ..mrml.curves import CurveNodes, add_curves, update_curves
from ..training.training_log import read_rows
from ..worker.failures import Failure, failure_of
from .worker_bridge import WorkerBridge

LOG = "log.csv"
LEAST_ROWS = 2
"""A line needs two points; a chart of one puts a warning into Slicer's log."""


@dataclass(frozen=True)
class TrainRequest:
    """What the user asked for; ``recipe`` None: one is made for the scans in ``folder``."""

    folder: Path
    name: str
    profile: str
    output: Path
    recipe: Path | None = None

    def arguments(self) -> dict[str, Any]:
        """For the worker."""
        recipe = None if self.recipe is None else str(self.recipe)
        paths = {"folder": str(self.folder), "output": str(self.output), "recipe": recipe}
        return {**paths, "name": self.name, "profile": self.profile}


class TrainView(Protocol):
    """Where a training reports to."""

    def show_training(self, fraction: float, text: str, elapsed: float) -> None:
        """While it runs."""
        ...

    def show_curves(self, nodes: CurveNodes) -> None:
        """The first curves are in the scene."""
        ...

    def show_trained(self, answer: Mapping[str, Any]) -> None:
        """The model ``answer["model"]`` is in the list."""
        ...

    def show_training_failure(self, why: Failure) -> None:
        """It ended early; what was learnt is kept, so that the same request goes on."""
        ...


class TrainController:
    """One training at a time.

    Args:
        bridge: a worker for trainings only, so that segmenting goes on beside it.
    """

    def __init__(self, bridge: WorkerBridge, scene: Callable[[], Any], view: TrainView) -> None:
        self._bridge, self._scene, self._view = bridge, scene, view
        self._request: TrainRequest | None = None
        self._curves: CurveNodes | None = None
        self._drawn = 0
        self._began = 0.0

    @property
    def is_running(self) -> bool:
        """Whether a training is under way."""
        return self._request is not None

    def start(self, request: TrainRequest) -> None:
        """Begin or go on; every outcome comes through the view."""
        self._request, self._began, self._curves, self._drawn = request, time.monotonic(), None, 0
        try:
            self._bridge.train(request.arguments(), self._on_progress, self._on_result, self._on_failure)
        except (SureError, OSError) as error:
            self._on_failure(failure_of(error))

    def cancel(self) -> None:
        """Stop; it ends with the failure ``cancelled``."""
        self._bridge.cancel()

    def forget_scene(self) -> None:
        """The scene is going: the training goes on, and its curves are drawn anew in the next one."""
        self._curves, self._drawn = None, 0

    def _on_progress(self, fraction: float, text: str) -> None:
        if self._request is None:
            return
        self._view.show_training(fraction, text, time.monotonic() - self._began)
        self._draw(self._request)

    def _draw(self, request: TrainRequest) -> None:
        rows = read_rows(request.output / LOG)
        if len(rows) < LEAST_ROWS or len(rows) == self._drawn:
            return
        if self._curves is None or not self._scene().IsNodePresent(self._curves.table):
            self._curves = add_curves(self._scene(), request.name)
            self._view.show_curves(self._curves)
        update_curves(self._curves, rows)
        self._drawn = len(rows)

    def _on_result(self, answer: Mapping[str, Any]) -> None:
        if self._request is not None:
            self._draw(self._request)
        self._request = None
        self._view.show_trained(answer)

    def _on_failure(self, why: Failure) -> None:
        self._request = None
        self._view.show_training_failure(why)
