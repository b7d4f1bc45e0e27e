"""The last picture of a view is sent once more when the view rests.

The page decodes four pictures of a view side by side, shows whichever is ready last, and drops one that comes while all
four wait. On a busy machine the newest could thus be lost or overtaken, and an outdated picture would stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

REST_SECONDS = 0.4


class Handle(Protocol):
    """What a timer gives to stop it."""

    def cancel(self) -> None:
        """Stop it."""


class RestingPicture:
    """Takes the pictures of one view.

    Args:
        push: sends a picture and its facts to the page.
        later: calls a function after some seconds, as ``call_later`` of an event loop.
    """

    def __init__(self, push: Callable[[bytes, Any], None], later: Callable[..., Handle]) -> None:
        self._push, self._later = push, later
        self._again: Handle | None = None

    def __call__(self, picture: bytes, facts: Any) -> None:
        """Send a picture now, and again at rest."""
        if self._again is not None:
            self._again.cancel()
        self._push(picture, facts)
        self._again = self._later(REST_SECONDS, self._push, picture, facts)
