"""Export: the chosen result, as it is now, in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..cine.cine_record import add_record
from ..core.errors import SureError
from ..export.formats import CHOICES, ExportFormat
from ..mrml.cine_frames import numbers_of
from ..mrml.nodes import MODEL, PublishedNodes
from ..mrml.reading_back import result_from_nodes
from ..packages.catalogue import find_package
from ..presenters import texts
from .context import PanelContext, chosen, fill_combo, tell


class ExportPanel:
    """A format, a button, and one line about how it went."""

    def __init__(self, context: PanelContext) -> None:
        self._context, self.ui = context, context.ui

    def connect(self) -> None:
        """Fill the list and listen to the widgets."""
        names = {choice: self._context.translate(texts.EXPORT_NAMES[choice]) for choice in CHOICES}
        fill_combo(self.ui.exportSelector, names, "nrrd")
        self.ui.exportButton.connect("clicked(bool)", self._on_export)

    def show(self, published: PublishedNodes | None) -> None:
        """Show a result; None for no result."""
        self._context.allow(self.ui.exportButton, published is not None, texts.EXPORT_TOOLTIP, texts.NO_RESULT)
        tell(self.ui.exportLabel, "")

    def _on_export(self, _checked: bool = False) -> None:
        published = self._context.published()
        parent = self._context.desktop.choose_folder(self._context.translate(texts.EXPORT_FOLDER))
        if published is None or parent is None:
            return
        choice = chosen(self.ui.exportSelector)
        output = free_folder(parent, f"{published.scan.GetName()} {choice}")
        try:
            notes = self._export(published, choice, output)
        except SureError as error:
            tell(self.ui.exportLabel, str(error))
            self._context.desktop.error(str(error))
            return
        done = self._context.translate(texts.EXPORTED).format(folder=output)
        tell(self.ui.exportLabel, "\n".join([done, *notes]))

    def _export(self, published: PublishedNodes, choice: str, output: Path) -> tuple[str, ...]:
        from ..export.fresh_folder import export_directly  # brings the report along, which takes a while to load

        source: list[Path] = []
        if any(item.needs_source for item in CHOICES[choice]):
            source = self._context.desktop.dicom_files(published.scan)
        wants_page = ExportFormat.HTML in CHOICES[choice]
        result = result_from_nodes(published)
        wants_model = wants_page and result.has_model
        package = find_package(published.segmentation.GetAttribute(MODEL)) if wants_model else None
        notes = export_directly(result, package, output, CHOICES[choice], source)
        if ExportFormat.CSV in CHOICES[choice]:
            add_record(numbers_of(published), output)
        return notes


def free_folder(parent: Path, name: str) -> Path:
    """A folder inside ``parent`` that does not exist yet, named after ``name``."""
    plain = "".join(letter if letter.isalnum() or letter in " -_" else "_" for letter in name).strip()
    candidates: Any = (parent / (plain if number == 1 else f"{plain} {number}") for number in range(1, 10_000))
    return next(path for path in candidates if not path.exists())
