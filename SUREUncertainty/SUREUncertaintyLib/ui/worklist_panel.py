"""Worklist: the cases of a cohort one after the other, what needs a person first, and what was decided about each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..cohort.review import ACCEPTED, EDITED, REJECTED
from ..core.errors import SureError
from ..presenters import texts
from ..presenters.worklist_controller import WorklistController, WorklistView
from ..presenters.worklist_sentences import case_text, progress_text
from .context import PanelContext, tell
from .export_panel import free_folder


class WorklistPanel:
    """Buttons, keys and words around a ``WorklistController``."""

    def __init__(self, context: PanelContext, view: WorklistView) -> None:
        self._context, self.ui = context, context.ui
        self.controller = WorklistController(context.scene, view)
        self._said = ""

    def connect(self) -> None:
        """Listen to the widgets; their keys stand in the .ui file."""
        controller = self.controller
        actions: dict[Any, Callable[[], Any]] = {
            self.ui.worklistOpenButton: self._open,
            self.ui.worklistPreviousButton: lambda: controller.step(-1),
            self.ui.worklistNextButton: lambda: controller.step(1),
            self.ui.worklistNextOpenButton: self._next_open,
            self.ui.worklistAcceptButton: lambda: self._decide(ACCEPTED),
            self.ui.worklistEditedButton: lambda: self._decide(EDITED),
            self.ui.worklistRejectButton: lambda: self._decide(REJECTED),
            self.ui.worklistUndoButton: controller.undo,
            self.ui.worklistResetButton: controller.reset,
            self.ui.worklistExportButton: self._export,
            self.ui.worklistDicomButton: self._export_dicom,
        }
        for button, action in actions.items():
            button.connect("clicked(bool)", lambda _checked=False, act=action: self._attempt(act))
        self.refresh()

    def refresh(self) -> None:
        """Say which case is shown and what was decided, and allow what makes sense."""
        listed, row, say = self.controller.worklist, self.controller.row, self._context.translate
        review = None if listed is None or row is None else listed.review(row)
        progress = "" if listed is None else progress_text(listed, self.controller.number, say)
        tell(self.ui.worklistProgressLabel, "\n".join(filter(None, (progress, self._said))))
        tell(self.ui.worklistCaseLabel, "" if row is None or review is None else case_text(row, review, say))
        buttons = {
            self.ui.worklistPreviousButton: texts.WORKLIST_PREVIOUS_TOOLTIP,
            self.ui.worklistNextButton: texts.WORKLIST_NEXT_TOOLTIP,
            self.ui.worklistNextOpenButton: texts.WORKLIST_NEXT_OPEN_TOOLTIP,
            self.ui.worklistAcceptButton: texts.WORKLIST_ACCEPT_TOOLTIP,
            self.ui.worklistEditedButton: texts.WORKLIST_EDITED_TOOLTIP,
            self.ui.worklistRejectButton: texts.WORKLIST_REJECT_TOOLTIP,
            self.ui.worklistResetButton: texts.WORKLIST_RESET_TOOLTIP,
            self.ui.worklistExportButton: texts.WORKLIST_EXPORT_TOOLTIP,
            self.ui.worklistDicomButton: texts.WORKLIST_DICOM_TOOLTIP,
        }
        for button, meaning in buttons.items():
            self._context.allow(button, row is not None, meaning, texts.NO_WORKLIST)
        can_undo = review is not None and review.last is not None
        self._context.allow(self.ui.worklistUndoButton, can_undo, texts.WORKLIST_UNDO_TOOLTIP, texts.NOTHING_DECIDED)

    def forget_scene(self) -> None:
        """The scene is going."""
        self.controller.forget_scene()
        self.refresh()

    def _open(self) -> None:
        folder = self._context.desktop.choose_folder(self._context.translate(texts.CHOOSE_COHORT))
        if folder is not None:
            self.controller.open(folder)

    def _next_open(self) -> None:
        if not self.controller.go_to_open():
            self._said = self._context.translate(texts.WORKLIST_DONE)

    def _decide(self, decision: str) -> None:
        """Write it down with the note, and go on to the next case that nobody has decided about."""
        self.controller.decide(decision, str(self.ui.worklistNoteEdit.text).strip())
        self.ui.worklistNoteEdit.setText("")
        self.controller.go_to_open()

    def _export(self) -> None:
        listed = self.controller.worklist
        if listed is None:
            return
        self._context.desktop.open_folder(listed.write_table().parent)
        if listed.confirmed:
            folder = listed.write_training_table().parent
            self._said = self._context.translate(texts.TRAINING_TABLE).format(folder=folder)

    def _export_dicom(self) -> None:
        parent = self._context.desktop.choose_folder(self._context.translate(texts.EXPORT_FOLDER))
        if parent is None or self.controller.worklist is None:
            return
        from ..export.reviewed_cohort import export_reviewed  # brings the report along, which takes a while to load

        cohort = self.controller.worklist.folder.path
        output = free_folder(parent, f"{cohort.name} accepted")
        notes = export_reviewed(cohort, output)
        done = self._context.translate(texts.EXPORTED).format(folder=output)
        self._said = "\n".join([done, *notes])

    def _attempt(self, action: Callable[[], Any]) -> None:
        self._said = ""
        try:
            action()
        except SureError as error:
            self._context.desktop.error(str(error))
        self.refresh()
