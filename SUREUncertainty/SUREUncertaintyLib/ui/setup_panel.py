"""Set-up: what is installed and needed, one repair button, models, log and report."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

from ..core.translation import tr as _
from ..presenters.worker_bridge import python_executable
from .context import PanelContext, tell
from .dependencies import Dependencies, DependencyError
from .model_panel import ModelPanel
from .setup_words import network_text, report_text

HEADERS = (_("Package"), _("Version"), _("What for"))


class SetupPanel:
    """Args: ``models`` is the part about models."""

    def __init__(
        self,
        context: PanelContext,
        dependencies: Dependencies,
        log: deque[str],
        slicer_version: str,
        models: ModelPanel,
    ) -> None:
        self._context, self.ui = context, context.ui
        self._dependencies, self._log, self._version = dependencies, log, slicer_version
        self.models = models
        self.last_failure = ""

    def connect(self) -> None:
        """Listen to the widgets. Nothing is checked before the section is opened."""
        self.ui.setupCollapsibleButton.connect("contentsCollapsed(bool)", self._on_opened)
        self.ui.installButton.connect("clicked(bool)", self._on_install)
        self.ui.torchButton.connect("clicked(bool)", self._on_torch)
        self.models.connect()
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
        self.models.refresh()

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

    def _on_torch(self, _checked: bool = False) -> None:
        try:
            self._dependencies.require_torch(self._wheels())
        except DependencyError as error:
            self._context.desktop.error(str(error))
        self.refresh()

    def _on_report(self, _checked: bool = False) -> None:
        rows = self._dependencies.rows()
        self._context.desktop.copy(report_text(self._version, rows, self._log, self.last_failure))
