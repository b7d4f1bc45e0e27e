"""The requests that wait for the worker's one pair of hands; the latest segmentation wins."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from .protocol import Request

LATEST = ("segment", "frames")
"""Commands that take the place of every long one before them."""

LONG = (*LATEST, "pace", "train", "fit", "import")
"""Commands that can be cancelled, and that give way to a newer segmentation."""


class Job:
    """A request on its way. ``stop`` asks it to end; ``reason`` is the kind of failure that it then ends with."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.reason = "cancelled"
        self._stop = threading.Event()

    def stop(self, reason: str) -> None:
        """Ask the job to end; the first reason counts."""
        if not self._stop.is_set():
            self.reason = reason
            self._stop.set()

    def is_stopped(self) -> bool:
        """The cancel test of the run."""
        return self._stop.is_set()


class Inbox:
    """Jobs in order of arrival, safe between the reading and the working thread.

    Args:
        dropped: called with each waiting job that is dropped, before ``put`` or ``cancel`` returns.
    """

    def __init__(self, dropped: Callable[[Job], None]) -> None:
        self._dropped = dropped
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._closed = False
        self._changed = threading.Condition()

    def put(self, request: Request) -> None:
        """Add a request; a segmentation takes the place of every earlier one, waiting or running."""
        with self._changed:
            dropped = self._stop("superseded") if request.command in LATEST else []
            self._waiting.append(Job(request))
            self._changed.notify()
        self._say(dropped)

    def cancel(self) -> int | None:
        """Stop every waiting and the running job; the id of the running one."""
        with self._changed:
            running = self._running
            dropped = self._stop("cancelled")
        self._say(dropped)
        return running.request.id if running else None

    def close(self) -> None:
        """Let no more jobs start."""
        self.cancel()
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()

    def take(self) -> Job | None:
        """Wait for the next job; None when the inbox is closed."""
        with self._changed:
            self._running = None
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            self._running = self._waiting.popleft()
            return self._running

    def _stop(self, reason: str) -> list[Job]:
        """Stop segmentations; gives those that had not started."""
        if self._running is not None and self._running.request.command in LONG:
            self._running.stop(reason)
        dropped = [job for job in self._waiting if job.request.command in LONG]
        self._waiting = deque(job for job in self._waiting if job.request.command not in LONG)
        for job in dropped:
            job.stop(reason)
        return dropped

    def _say(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._dropped(job)
