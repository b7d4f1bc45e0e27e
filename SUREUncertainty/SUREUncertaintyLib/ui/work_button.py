"""A button that begins long work and is Cancel while it runs, with the bar and the line that tell how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..core.errors import SureError
from ..core.translation import Text
from ..presenters import texts
from .context import PanelContext, tell
from .input_panel import STEPS


class Work(Protocol):
    """What a controller of long work tells and takes."""

    @property
    def is_running(self) -> bool:
        """Whether it is under way."""
        ...

    def cancel(self) -> None:
        """Stop it."""
        ...


class WorkButton:
    """Three widgets of one panel.

    Args:
        button, bar, label: a push button, a progress bar and a line of text.
    """

    def __init__(self, context: PanelContext, button: Any, bar: Any, label: Any) -> None:
        self._context, self._button, self._bar, self._label = context, button, bar, label

    def connect(self, work: Work, prepare: Callable[[], Callable[[], None]], changed: Callable[[], None]) -> None:
        """Listen to the button.

        Args:
            prepare: makes what starts the work; raises ``SureError`` where it cannot begin.
            changed: called when it has begun.
        """
        self._button.connect("clicked(bool)", lambda _checked=False: self._pressed(work, prepare, changed))
        self._bar.setVisible(False)

    def update(self, is_running: bool, obstacle: str, purpose: Text, begin: Text) -> None:
        """Say what the button does now, or why it cannot: ``obstacle``, empty where it can."""
        say = self._context.translate
        self._button.enabled = is_running or not obstacle
        self._button.setToolTip(obstacle if obstacle and not is_running else say(purpose))
        self._button.setText(say(texts.CANCEL if is_running else begin))

    def show(self, fraction: float, text: str) -> None:
        """How far the work is, 0 to 1, and what it is at."""
        self._bar.setValue(round(fraction * STEPS))
        tell(self._label, text)

    def end(self, text: str) -> None:
        """The work is over; ``text`` says how."""
        self._bar.setVisible(False)
        tell(self._label, text)

    def _pressed(self, work: Work, prepare: Callable[[], Callable[[], None]], changed: Callable[[], None]) -> None:
        if work.is_running:
            tell(self._label, self._context.translate(texts.CANCELLING))
            work.cancel()
            return
        try:
            start = prepare()
        except SureError as error:
            tell(self._label, str(error))
            self._context.desktop.error(str(error))
            return
        self._bar.setRange(0, STEPS)
        self._bar.setVisible(True)
        tell(self._label, self._context.translate(texts.STARTING))
        start()
        changed()
