"""Uncertainty for a model: a model that came from elsewhere, a folder of scans without labels, and Fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..packages.catalogue import list_entries, user_folder
from ..presenters import texts
from ..presenters.fit_controller import FitController, FitRequest
from ..presenters.worker_bridge import WorkerBridge
from ..worker.failures import Failure
from .context import PanelContext, chosen, fill_combo
from .work_button import WorkButton

BEGUN = "begun.json"
"""In the folder of a fit that was stopped, see ``fitting.fit``."""


class FitPanel:
    """A ``FitView`` with its own controller.

    Args:
        require: has what fitting needs installed, and raises ``SureError`` when it is not.
        fitted: called with the name of a model that has changed.
        report: called with a failure that deserves a message.
    """

    def __init__(
        self,
        context: PanelContext,
        bridge: WorkerBridge,
        require: Callable[[], None],
        fitted: Callable[[str], None],
        report: Callable[[Failure], None],
    ) -> None:
        self._context, self.ui = context, context.ui
        self.controller = FitController(bridge, self)
        self._button = WorkButton(context, self.ui.fitButton, self.ui.fitProgressBar, self.ui.fitLabel)
        self._require, self._fitted, self._report = require, fitted, report

    def connect(self) -> None:
        """Fill the list and listen to the widgets."""
        self.refresh()
        self.ui.trainCollapsibleButton.connect("contentsCollapsed(bool)", self._on_opened)
        self.ui.fitModelSelector.connect("currentIndexChanged(int)", self.update)
        self.ui.fitFolder.connect("currentPathChanged(QString)", self.update)
        self._button.connect(self.controller, self._prepare, self.update)
        self.update()

    def refresh(self) -> None:
        """List the models that can be changed: those that the user brought in."""
        models = [entry.name for entry in list_entries() if entry.package is not None and not entry.built_in]
        before = chosen(self.ui.fitModelSelector)
        kept = before if before in models else (models or [""])[0]
        fill_combo(self.ui.fitModelSelector, {name: name for name in models}, kept)

    def update(self, *_: Any) -> None:
        """Say whether a fit can begin."""
        obstacle = self._obstacle()
        begin = texts.GO_ON_FITTING if not obstacle and (self._output() / BEGUN).is_file() else texts.FIT
        self._button.update(self.controller.is_running, obstacle, texts.FIT_TOOLTIP, begin)

    def show_fitting(self, fraction: float, text: str) -> None:
        """For ``FitController``."""
        self._button.show(fraction, text)

    def show_fitted(self, answer: Mapping[str, Any]) -> None:
        """For ``FitController``."""
        say = self._context.translate
        told = [str(answer["sentence"]), say(texts.FIT_REPORT).format(page=answer["page"])]
        if answer["left_out"]:
            told.append(say(texts.FIT_LEFT_OUT).format(names=", ".join(answer["left_out"])))
        self._end(" ".join(told))
        self._fitted(str(answer["model"]))

    def show_fit_failure(self, why: Failure) -> None:
        """For ``FitController``."""
        self._end(self._context.translate(texts.FIT_KEPT) if why.kind == "cancelled" else why.text)
        self._report(why)

    def _end(self, text: str) -> None:
        self._button.end(text)
        self.update()

    def _on_opened(self, collapsed: bool) -> None:
        if not collapsed and not self.controller.is_running:
            self.refresh()
            self.update()

    def _prepare(self) -> Callable[[], None]:
        self._require()
        scans = Path(str(self.ui.fitFolder.currentPath))
        return partial(self.controller.start, FitRequest(chosen(self.ui.fitModelSelector), scans, self._output()))

    def _obstacle(self) -> str:
        """Why a fit cannot begin now; empty when it can."""
        say = self._context.translate
        if not chosen(self.ui.fitModelSelector):
            return say(texts.FIT_NEEDS_MODEL)
        return "" if str(self.ui.fitFolder.currentPath) else say(texts.FIT_NEEDS_SCANS)

    def _output(self) -> Path:
        return user_folder().parent / "fits" / (chosen(self.ui.fitModelSelector) or "none")
