"""Set-up: what is installed and needed, one repair button, models, log and report."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ..core.errors import SureError
from ..core.translation import tr as _
from ..packages.catalogue import Entry, list_entries, user_folder
from ..packages.importing import import_package
from ..presenters import texts
from ..presenters.worker_bridge import python_executable
from .context import PanelContext, tell
from .dependencies import Dependencies, DependencyError
from .setup_words import network_text, report_text

HEADERS = (_("Package"), _("Version"), _("What for"))
MODEL_HEADERS = (_("Model"), _("Version"), _("MB"), _("Licence"))
MEGABYTE = 1e6


class SetupPanel:
    """Args: ``models_changed`` is called when the list of models should be read again."""

    def __init__(
        self,
        context: PanelContext,
        dependencies: Dependencies,
        log: deque[str],
        slicer_version: str,
        models_changed: Callable[[], None],
    ) -> None:
        self._context, self.ui = context, context.ui
        self._dependencies, self._log, self._version = dependencies, log, slicer_version
        self._models_changed = models_changed
        self.last_failure = ""

    def connect(self) -> None:
        """Listen to the widgets. Nothing is checked before the section is opened."""
        self.ui.setupCollapsibleButton.connect("contentsCollapsed(bool)", self._on_opened)
        self.ui.installButton.connect("clicked(bool)", self._on_install)
        self.ui.torchButton.connect("clicked(bool)", self._on_torch)
        self.ui.modelFolderButton.connect("clicked(bool)", self._on_models)
        self.ui.refreshModelsButton.connect("clicked(bool)", self._on_refresh)
        self.ui.importModelButton.connect("clicked(bool)", self._on_import)
        self.ui.reportButton.connect("clicked(bool)", self._on_report)

    def require(self) -> None:
        """Have everything that a run needs; asks before anything is installed. Raises ``DependencyError``."""
        self._dependencies.require(self._wheels())

    def require_training(self) -> None:
        """Have everything that training needs; asks before anything is installed. Raises ``DependencyError``."""
        self._dependencies.require_training(self._wheels())

    def refresh(self) -> None:
        """Show what is installed and the end of the log."""
        say = self._context.translate
        rows = [(package, version or "-", purpose) for package, version, purpose in self._dependencies.rows()]
        self._context.desktop.fill_table(self.ui.dependencyTable, [say(header) for header in HEADERS], rows, ())
        self.ui.logText.setPlainText("\n".join(self._log))
        self.ui.networkLabel.setText(network_text(os.environ, say))
        self.ui.modelFolderLabel.setText(str(user_folder()))
        models = [_model(entry) for entry in list_entries()]
        self._context.desktop.fill_table(self.ui.modelsTable, [say(header) for header in MODEL_HEADERS], models, ())

    def _wheels(self) -> Path | None:
        folder = str(self.ui.wheelFolder.currentPath)
        return Path(folder) if folder else None

    def _on_opened(self, collapsed: bool) -> None:
        if not collapsed:
            self.refresh()

    def _on_install(self, _checked: bool = False) -> None:
        try:
            tell(self.ui.setupLabel, self._dependencies.repair(self._wheels(), python_executable()))
        except DependencyError as error:
            tell(self.ui.setupLabel, str(error))
            self._context.desktop.error(str(error))
        self.refresh()

    def _on_import(self, _checked: bool = False) -> None:
        folder = self._context.desktop.choose_folder(self._context.translate(texts.IMPORT_MODEL))
        if folder is None:
            return
        try:
            package = import_package(folder)
        except SureError as error:
            tell(self.ui.setupLabel, str(error))
            self._context.desktop.error(str(error))
            return
        tell(self.ui.setupLabel, self._context.translate(texts.IMPORTED).format(name=package.name))
        self._models_changed()
        self.refresh()

    def _on_torch(self, _checked: bool = False) -> None:
        try:
            self._dependencies.require_torch(self._wheels())
        except DependencyError as error:
            self._context.desktop.error(str(error))
        self.refresh()

    def _on_models(self, _checked: bool = False) -> None:
        self._context.desktop.open_folder(user_folder())

    def _on_refresh(self, _checked: bool = False) -> None:
        self._models_changed()

    def _on_report(self, _checked: bool = False) -> None:
        rows = self._dependencies.rows()
        self._context.desktop.copy(report_text(self._version, rows, self._log, self.last_failure))


def _model(entry: Entry) -> tuple[str, str, str, str]:
    size = sum(path.stat().st_size for path in entry.root.rglob("*") if path.is_file()) / MEGABYTE
    if entry.package is None:
        return entry.name, "-", f"{size:.1f}", entry.problem
    metadata = entry.package.metadata
    return entry.name, metadata.version, f"{size:.1f}", metadata.licence
