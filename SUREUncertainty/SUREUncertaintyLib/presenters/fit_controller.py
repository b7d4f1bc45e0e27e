"""A fit of a model's uncertainty in a worker of its own. Free of Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..core.errors import SureError
from ..worker.failures import Failure, failure_of
from .worker_bridge import WorkerBridge


@dataclass(frozen=True)
class FitRequest:
    """What the user asked for."""

    model: str
    scans: Path
    output: Path

    def arguments(self) -> dict[str, Any]:
        """For the worker."""
        return {"model": self.model, "scans": str(self.scans), "output": str(self.output)}


class FitView(Protocol):
    """Where a fit reports to."""

    def show_fitting(self, fraction: float, text: str) -> None:
        """While it runs; the text says how long it will still take."""
        ...

    def show_fitted(self, answer: Mapping[str, Any]) -> None:
        """It is done; see ``worker.fitting``."""
        ...

    def show_fit_failure(self, why: Failure) -> None:
        """It ended early; what was found is kept, so that the same request goes on."""
        ...


class FitController:
    """One fit at a time.

    Args:
        bridge: a worker for fits only, so that segmenting goes on beside it.
    """

    def __init__(self, bridge: WorkerBridge, view: FitView) -> None:
        self._bridge, self._view = bridge, view
        self.is_running = False

    def start(self, request: FitRequest) -> None:
        """Begin or go on; every outcome comes through the view."""
        self.is_running = True
        try:
            self._bridge.fit(request.arguments(), self._view.show_fitting, self._on_result, self._on_failure)
        except (SureError, OSError) as error:
            self._on_failure(failure_of(error))

    def cancel(self) -> None:
        """Stop; it ends with the failure ``cancelled``."""
        self._bridge.cancel()

    def _on_result(self, answer: Mapping[str, Any]) -> None:
        self.is_running = False
        self._view.show_fitted(answer)

    def _on_failure(self, why: Failure) -> None:
        self.is_running = False
        self._view.show_fit_failure(why)
