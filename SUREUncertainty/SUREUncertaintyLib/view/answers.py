"""How the server answers windows: at once, and every error becomes a message on the page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from ..core.errors import SureError
from .app import Application

log = logging.getLogger(__name__)


def answering(application: Application, act: Callable[..., Any]) -> Callable[..., Any]:
    """What a window may call: returns at once for long work, and every error becomes a message on the page."""

    async def finish(awaitable: Any) -> None:
        try:
            await awaitable
        except Exception as error:
            _explain(application, error)
        application.session.state.busy = ""
        application.session.flush()

    def answer(*arguments: Any, **_: Any) -> Any:
        try:
            found = act(*arguments)
        except Exception as error:
            _explain(application, error)
            return None
        if not asyncio.iscoroutine(found):
            return found
        application.tasks.add(task := asyncio.get_running_loop().create_task(finish(found)))
        task.add_done_callback(application.tasks.discard)
        return None

    return answer


def _explain(application: Application, error: Exception) -> None:
    if isinstance(error, SureError):
        application.session.say(str(error), "error")
        return
    log.error("unexpected", exc_info=error)
    application.session.say(f"That did not work ({type(error).__name__}). The terminal has the details.", "error")
