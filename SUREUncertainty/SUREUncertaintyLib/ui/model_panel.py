"""Models in Set-up: add one from a folder or zip, try it, read its card, remove it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import SureError
from ..packages.catalogue import Entry, list_entries, user_folder
from ..packages.recognising import recognise
from ..packages.removal import is_own, remove_model
from ..presenters import texts
from ..presenters.dropped_path import dropped_path
from ..presenters.worker_bridge import WorkerBridge
from ..worker.failures import Failure, failure_of
from .context import PanelContext, chosen, tell

CARD = Path("docs", "README.md")
MEGABYTE = 1e6
HEADERS = texts.MODEL_HEADERS


class ModelPanel:
    """Args: ``models_changed`` is called when the list of models should be read again.

    ``bridge``: a worker for imports only, so that the window and a run go on beside them.
    ``run``: runs the chosen model on the chosen scan.
    """

    def __init__(
        self,
        context: PanelContext,
        bridge: WorkerBridge,
        models_changed: Callable[[], None],
        run: Callable[[], None],
    ) -> None:
        self._context, self.ui = context, context.ui
        self._bridge, self._models_changed, self._run = bridge, models_changed, run

    def connect(self) -> None:
        """Listen to the widgets."""
        self.ui.modelFolderButton.connect("clicked(bool)", self._on_folder)
        self.ui.refreshModelsButton.connect("clicked(bool)", self._on_refresh)
        self.ui.importModelButton.connect("clicked(bool)", self._on_add)
        self.ui.zipModelButton.connect("clicked(bool)", self._on_zip)
        self.ui.tryModelButton.connect("clicked(bool)", self._on_try)
        self.ui.modelDropText.connect("textChanged()", self._on_dropped)
        self.ui.removeModelButton.connect("clicked(bool)", self._on_remove)
        self.ui.modelSelector.connect("currentIndexChanged(int)", self._on_chosen)

    def refresh(self) -> None:
        """Show the models and the card of the chosen one."""
        say = self._context.translate
        self.ui.modelFolderLabel.setText(str(user_folder()))
        rows = [_row(entry) for entry in list_entries()]
        self._context.desktop.fill_table(self.ui.modelsTable, [say(header) for header in HEADERS], rows, ())
        self.ui.modelCardText.setPlainText(_card(self._entry()))

    def _entry(self) -> Entry | None:
        name = chosen(self.ui.modelSelector)
        return next((entry for entry in list_entries() if entry.name == name), None)

    def _on_add(self, _checked: bool = False) -> None:
        say = self._context.translate
        if self._bridge.is_busy:
            self._bridge.cancel()
            return
        self._import(self._context.desktop.choose_folder(say(texts.IMPORT_MODEL)))

    def _on_zip(self, _checked: bool = False) -> None:
        pattern = "Zip (*.zip)"
        self._import(self._context.desktop.choose_file(self._context.translate(texts.IMPORT_ZIP), pattern))

    def _on_dropped(self) -> None:
        """The box takes addresses of files as text, by itself; it is emptied again."""
        path = dropped_path(self.ui.modelDropText.plainText)
        if path is None:
            return
        earlier = self.ui.modelDropText.blockSignals(True)
        self.ui.modelDropText.setPlainText("")
        self.ui.modelDropText.blockSignals(earlier)
        if not self._bridge.is_busy:
            self._import(path)

    def _on_try(self, _checked: bool = False) -> None:
        say, parameters, entry = self._context.translate, self._context.parameters, self._entry()
        if parameters is None or parameters.inputVolume is None or entry is None:
            tell(self.ui.setupLabel, say(texts.TRY_FIRST))
            return
        tell(self.ui.setupLabel, say(texts.TRYING).format(name=entry.name))
        self._run()

    def _import(self, path: Path | None) -> None:
        if path is None:
            return
        say, kind = self._context.translate, recognise(path)
        if not kind:
            self._fail(say(texts.NOT_RECOGNISED).format(path=path))
            return
        what = say(texts.RECOGNISED[kind])

        def told(fraction: float, text: str) -> None:
            words = say(texts.IMPORTING).format(what=what, percent=round(100 * fraction), text=text)
            tell(self.ui.setupLabel, words)

        told(0.0, say(texts.STARTING))
        self.ui.importModelButton.setText(say(texts.CANCEL))
        self.ui.zipModelButton.enabled = False
        try:
            self._bridge.import_model(str(path), told, self._on_imported, self._on_failure)
        except (SureError, OSError) as error:
            self._on_failure(failure_of(error))

    def _on_imported(self, answer: Mapping[str, Any]) -> None:
        self._rest()
        if self._context.parameters is not None:
            self._context.parameters.model = answer["model"]
        self._models_changed()
        text = self._context.translate(texts.IMPORTED)
        tell(self.ui.setupLabel, text.format(name=answer["model"], summary=answer["summary"]))
        self.refresh()

    def _on_failure(self, why: Failure) -> None:
        self._rest()
        if why.kind == "cancelled":
            tell(self.ui.setupLabel, why.text)
        else:
            self._fail(f"{why.text} {why.action}".strip())

    def _fail(self, text: str) -> None:
        tell(self.ui.setupLabel, text)
        self._context.desktop.error(text)

    def _rest(self) -> None:
        self.ui.importModelButton.setText(self._context.translate(texts.ADD_MODEL))
        self.ui.zipModelButton.enabled = True

    def _on_remove(self, _checked: bool = False) -> None:
        say, entry = self._context.translate, self._entry()
        if entry is None or not is_own(entry):
            tell(self.ui.setupLabel, say(texts.REMOVE_FIRST))
            return
        if not self._context.desktop.confirm(say(texts.REMOVE_MODEL).format(name=entry.name, folder=entry.root)):
            return
        try:
            remove_model(entry)
        except OSError as error:
            self._fail(str(error))
        else:
            tell(self.ui.setupLabel, say(texts.REMOVED).format(name=entry.name))
        self._models_changed()
        self.refresh()

    def _on_folder(self, _checked: bool = False) -> None:
        self._context.desktop.open_folder(user_folder())

    def _on_refresh(self, _checked: bool = False) -> None:
        self._models_changed()

    def _on_chosen(self, _index: int) -> None:
        self.ui.modelCardText.setPlainText(_card(self._entry()))


def _card(entry: Entry | None) -> str:
    """A model's card, as its package has it."""
    if entry is None:
        return ""
    file = entry.root / CARD
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else entry.problem


def _row(entry: Entry) -> tuple[str, str, str, str]:
    size = sum(path.stat().st_size for path in entry.root.rglob("*") if path.is_file()) / MEGABYTE
    if entry.package is None:
        return entry.name, "-", f"{size:.1f}", entry.problem
    metadata = entry.package.metadata
    return entry.name, metadata.version, f"{size:.1f}", metadata.licence
