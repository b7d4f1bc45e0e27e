"""How fast the models are on this computer: asked of the worker once a model, before a long run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..core.errors import SureError
from ..inference.native.choice import ALL
from ..worker.failures import Failure
from .worker_bridge import WorkerBridge


class Pace:
    """Seconds that a network takes for a window.

    Args:
        may_ask: whether the worker can work now; without it only what is known is told.
        changed: called when there is an answer.
    """

    def __init__(self, bridge: WorkerBridge, may_ask: Callable[[], bool], changed: Callable[[], None]) -> None:
        self._bridge, self._may_ask, self._changed = bridge, may_ask, changed
        self._seconds: dict[tuple[str, str, str], float | None] = {}

    def of(self, model: str, engine: str, passes: str = ALL) -> float | None:
        """What is known; the first question for a model, an engine and passes lets the worker measure it."""
        key = (model, engine, passes)
        if key not in self._seconds and not self._bridge.is_busy and self._may_ask():
            self._seconds[key] = None
            self._ask(key)
        return self._seconds.get(key)

    def _ask(self, key: tuple[str, str, str]) -> None:
        def tell(answer: Mapping[str, Any]) -> None:
            self._seconds[key] = answer["seconds_a_window"]
            self._changed()

        def forget(why: Failure) -> None:
            """Ask again where only a run came in between; what else went wrong Run says."""
            if why.kind in ("cancelled", "superseded"):
                self._seconds.pop(key, None)

        try:
            self._bridge.pace(*key, tell, forget)
        except SureError:  # Run says why
            self._seconds.pop(key, None)
