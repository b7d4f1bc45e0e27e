"""The cases of a cohort one after the other, what needs a person first, and what was decided about each.

Outlines are edited in 3D Slicer; what was edited there is shown and kept here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..cohort.review import ACCEPTED, REJECTED
from ..core.errors import InputError
from ..mrml.nodes import PublishedNodes
from ..presenters import texts
from ..presenters.worklist_controller import WorklistController
from ..presenters.worklist_sentences import case_text, progress_text
from .session import Session

DECISIONS = (ACCEPTED, REJECTED)


class WorklistPart:
    """``worklist`` of the state is None unless a cohort is open; ``worklist_note`` goes with the next decision.

    Args:
        show: shows a result in all views and parts.
    """

    def __init__(self, session: Session, show: Callable[[PublishedNodes], None]) -> None:
        self._session, self._show = session, show
        self._controller = WorklistController(lambda: session.scene, self)
        session.state.update({"worklist": None, "worklist_note": ""})

    def open(self, folder: Path, require: Callable[[Path], object]) -> None:
        """Open a cohort at the first case that nobody has decided about.

        Args:
            require: raises ``InputError`` for a file that the page may not read.
        """
        self._controller.open(folder, require)
        self._tell()

    def step(self, count: int) -> None:
        """Go so many cases on, or back."""
        self._controller.step(count)
        self._tell()

    def go_to_open(self) -> None:
        """Go to the next case that nobody has decided about."""
        is_done = not self._controller.go_to_open()
        self._tell()
        if is_done:
            self._session.say(texts.WORKLIST_DONE)

    def decide(self, decision: str) -> None:
        """Write it down with the note, and go on to the next case that nobody has decided about."""
        if decision not in DECISIONS:
            raise InputError("A case is accepted or rejected here. Nothing was changed.")
        self._controller.decide(decision, str(self._session.state.worklist_note).strip())
        self._session.state.worklist_note = ""
        self._controller.go_to_open()
        self._tell()

    def undo(self) -> None:
        """Take the last decision about the shown case back."""
        self._controller.undo()
        self._tell()

    def show_case(self, published: PublishedNodes, threshold: float) -> None:
        """See ``presenters.worklist_controller.WorklistView``."""
        self._show(published)

    def leave_case(self) -> None:
        """The nodes of the shown case are about to go."""
        self._session.segmentation = None

    def _tell(self) -> None:
        listed, row = self._controller.worklist, self._controller.row
        if listed is None or row is None:
            self._session.state.worklist = None
            return
        review = listed.review(row)
        self._session.state.worklist = {
            "progress": progress_text(listed, self._controller.number, str),
            "case": case_text(row, review, str),
            "first": self._controller.number == 0,
            "last": self._controller.number == len(listed.rows) - 1,
            "decided": review.last is not None,
        }
        self._session.stage.redraw()
