"""The second half of a double click: it starts no second run, and does not stop the one that the first half began."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

SECONDS = 0.5
"""As long as desktops wait for the second click."""


class DoubleClick:
    """Remembers the last request and when it came. ``clock``: seconds that never run backwards."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._last: Any = None
        self._when = float("-inf")

    def is_second(self, request: Any) -> bool:
        """Whether an equal request came a moment ago; else this one is remembered."""
        if self.is_fresh() and request == self._last:
            return True
        self._last, self._when = request, self.clock()
        return False

    def forget(self) -> None:
        """What was asked for has ended: the next request is a new one, however soon it comes."""
        self._when = float("-inf")

    def is_fresh(self) -> bool:
        """Whether the last request came a moment ago."""
        return self.clock() - self._when < SECONDS
