"""Latest value wins: a slider that is never behind the hand and never starves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LatestValue(Generic[Value]):
    """Runs one job at a time; of the values that arrive meanwhile only the last one is run next.

    Args:
        start: begins the job of a value and returns at once; ``done`` must be called when the job has ended.
    """

    def __init__(self, start: Callable[[Value], None]) -> None:
        self._start = start
        self._waiting: list[Value] = []
        self.is_running = False

    def submit(self, value: Value) -> None:
        """Run the value now, or as soon as the running job has ended."""
        self._waiting = [value]
        self._start_next()

    def done(self, then: Value | None = None) -> None:
        """The running job has ended; ``then`` is what follows it when no newer value waits."""
        self.is_running = False
        if then is not None and not self._waiting:
            self._waiting = [then]
        self._start_next()

    def clear(self) -> None:
        """Forget the value that waits and the job that runs."""
        self._waiting = []
        self.is_running = False

    def _start_next(self) -> None:
        if self.is_running or not self._waiting:
            return
        value = self._waiting.pop()
        self.is_running = True
        try:
            self._start(value)
        except BaseException:
            self.is_running = False
            raise
