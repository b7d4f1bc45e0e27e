"""Run, progress and Cancel: one run at a time, the others wait in line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..core.errors import InputError
from ..inference.result import SegmentationResult
from ..mrml.nodes import PublishedNodes
from ..presenters import texts
from ..presenters.double_click import DoubleClick
from ..presenters.remaining_time import remaining_text
from ..presenters.run_controller import RunController, RunRequest
from ..presenters.worker_bridge import WorkerBridge
from ..worker.failures import Failure
from .session import Session

LONGEST_LINE = 10


@dataclass(frozen=True)
class Waiting:
    """A run that has not begun; ``title`` is for people."""

    number: int
    title: str
    request: RunRequest


class RunPart:
    """The view of a ``RunController``, with a line of requests before it.

    Args:
        finished: gets a result that is in the scene.
        begins: called before a run starts.
    """

    def __init__(
        self,
        session: Session,
        bridge: WorkerBridge,
        finished: Callable[[PublishedNodes], None],
        begins: Callable[[], None],
    ) -> None:
        self._session, self._finished, self._begins = session, finished, begins
        self._controller = RunController(bridge, lambda: session.scene, self)
        self._line: list[Waiting] = []
        self._count = 0
        self._clicks = DoubleClick()
        session.state.update({"run": None, "line": [], "status": texts.READY})

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self._controller.is_running

    def add(self, request: RunRequest, in_line: bool = False) -> None:
        """Run now, or when the runs before it have ended.

        Args:
            in_line: it was asked for as a further run, so that an equal one is no second half of a double click.

        Raises:
            InputError: too many are waiting.
        """
        if not in_line and self._clicks.is_second(request):
            return
        if len(self._line) >= LONGEST_LINE:
            raise InputError(f"{LONGEST_LINE} runs are waiting already. Let one end first.")
        self._count += 1
        self._line.append(Waiting(self._count, f"{request.scan.GetName()} - {request.model}", request))
        self._next()

    def cancel(self) -> None:
        """Stop the run that is under way; the next one follows. The second half of a double click on Run stops none."""
        if self.is_running and not self._clicks.is_fresh():
            self._session.state.status = texts.CANCELLING
            self._controller.cancel()

    def drop(self, number: int) -> None:
        """Take a run out of the line."""
        self._line = [waiting for waiting in self._line if waiting.number != number]
        self._show_line()

    def show_progress(self, fraction: float, text: str, elapsed: float) -> None:
        """For ``RunController``."""
        rest = remaining_text(fraction, elapsed)
        self._session.state.run = {**self._session.state.run, "fraction": round(fraction, 3)}
        self._session.state.status = f"{text} - {rest}" if rest else text
        self._session.flush()

    def show_result(self, result: SegmentationResult, published: PublishedNodes, seconds: float) -> None:
        """For ``RunController``."""
        engine, device = (str(result.provenance.get(key, "")) for key in ("engine", "device"))
        self._session.state.run = None
        self._session.state.status = texts.DONE.format(engine=engine, device=device, seconds=seconds)
        self._finished(published)
        self._next()

    def show_failure(self, why: Failure) -> None:
        """For ``RunController``."""
        self._clicks.forget()
        self._session.state.run = None
        self._session.state.status = f"{why.text} {why.action}"
        if why.kind != "cancelled":
            self._session.say(f"{why.text} {why.action}", "error")
        self._next()

    def _next(self) -> None:
        """Start the first run of the line when none is under way."""
        if not self.is_running and self._line:
            waiting = self._line.pop(0)
            self._begins()
            self._session.state.run = {"title": waiting.title, "fraction": 0.0}
            self._session.state.status = texts.STARTING
            self._show_line()
            self._controller.start(waiting.request)
            return
        self._show_line()
        self._session.flush()

    def _show_line(self) -> None:
        self._session.state.line = [{"number": w.number, "title": w.title} for w in self._line]
