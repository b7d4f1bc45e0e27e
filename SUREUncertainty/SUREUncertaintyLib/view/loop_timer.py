"""A timer of the event loop, for what expects the timer of a window."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class LoopTimer:
    """Calls back every ``milliseconds`` while it runs; a ``presenters.desktop_protocols.Timer``."""

    def __init__(self, milliseconds: int, callback: Callable[[], None]) -> None:
        self._seconds, self._callback = milliseconds / 1000, callback
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to tick; nothing happens when it ticks already."""
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(self._seconds, self._tick)

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _tick(self) -> None:
        self._handle = None
        self.start()  # before the callback, which may stop it
        self._callback()
