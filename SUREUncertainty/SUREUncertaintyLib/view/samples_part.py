"""What a model's samples show: one after the other, and contours of how many mark a voxel."""

from __future__ import annotations

from ..mrml.contour_lines import has_contours, show_contours
from ..mrml.nodes import all_published
from ..mrml.sample_nodes import show_sample
from ..mrml.sequences import shown_nodes
from ..mrml.steps import SAMPLES_KIND, Steps, go_to_step, steps_in
from ..presenters.step_sentence import step_sentence
from .session import Session


class SamplesPart:
    """Fills ``sample_count``, ``sample_text`` and ``has_contours`` of the state; follows ``sample``, ``samples`` (show
    them) and ``contours``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._steps: Steps | None = None
        session.state.update({"sample": 0, "samples": True, "contours": False})
        self.refresh()

    def refresh(self) -> None:
        """Look what samples the result that is shown has; those of others are hidden."""
        published, state = self._session.published(), self._session.state
        node = None if published is None else published.segmentation
        self._steps = None
        for steps in steps_in(self._session.scene):
            if steps.kind != SAMPLES_KIND:
                continue
            if steps.published.segmentation is node:
                self._steps, state.sample = steps, steps.number
            else:
                _show(steps, False)
        state.has_contours = has_contours(published)
        state.sample_count = 0 if self._steps is None else self._steps.count
        self.update()

    def update(self) -> None:
        """Follow the state."""
        steps, session = self._steps, self._session
        self._show_contours()
        if steps is None:
            session.state.sample_text = ""
            return
        number = round(session.number("sample", 0.0, float(steps.count - 1), 0.0))
        if session.state.samples is True:
            go_to_step(session.scene, steps, number, 1.0)
        else:
            _show(steps, False)
        session.state.sample_text = step_sentence(steps, number)
        session.stage.redraw()

    def _show_contours(self) -> None:
        """Contours of the shown result alone."""
        shown = self._session.published()
        for published in all_published(self._session.scene):
            is_shown = shown is not None and published.segmentation is shown.segmentation
            if is_shown or published.lines:
                show_contours(self._session.scene, published, is_shown and self._session.state.contours is True)
        self._session.stage.redraw()


def _show(steps: Steps, visible: bool) -> None:
    for node in shown_nodes(steps.browser):
        show_sample(node, visible)
