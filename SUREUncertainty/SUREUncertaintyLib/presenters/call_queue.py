"""Brings calls from the worker client's threads to the thread of the window."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

YIELD_SECONDS = 0.001


class CallQueue:
    """``put`` from any thread, ``run_pending`` from a timer of the main thread.

    A Qt event loop may keep Python's interpreter lock while it waits, so that other Python threads run only during
    callbacks; ``run_pending`` therefore sleeps for a millisecond, which hands the lock over.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def put(self, call: Callable[[], None]) -> None:
        """Take a call for the main thread."""
        self._calls.put(call)

    def run_pending(self) -> int:
        """Run what is waiting, in order, and give how many calls that were; what they put in turn waits."""
        time.sleep(YIELD_SECONDS)
        waiting = self._calls.qsize()
        for number in range(waiting):
            try:
                call = self._calls.get_nowait()
            except Empty:
                return number
            call()
        return waiting
