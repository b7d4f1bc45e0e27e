"""Results: the verdict, volumes and warnings at the top, the structures in slices and 3D, the way to Segment Editor."""

from __future__ import annotations

from collections.abc import Callable

from ..mrml.display import show_surfaces
from ..mrml.nodes import MODEL, PublishedNodes
from ..mrml.uncertain_band import add_band_segment, limit_editing
from ..presenters import texts
from ..presenters.result_sentences import reasons_html, verdict_html, volume_table
from .context import PanelContext, tell


class ResultsPanel:
    """The structures of the chosen result; ``show_threed`` is called when 3D shows them, or no longer."""

    def __init__(self, context: PanelContext, show_threed: Callable[[], None]) -> None:
        self._context, self.ui, self._show_threed = context, context.ui, show_threed

    def connect(self) -> None:
        """Listen to the widgets."""
        self.ui.resultSelector.addAttribute("vtkMRMLSegmentationNode", MODEL)
        self.ui.editButton.connect("clicked(bool)", self._on_edit)
        self.ui.show3DButton.connect("toggled(bool)", self._on_3d)

    def show(self, published: PublishedNodes | None) -> None:
        """Show a result; None for no result."""
        node = None if published is None else published.segmentation
        self.ui.segmentsTable.setSegmentationNode(node)
        self.ui.show3DButton.setSegmentationNode(node)
        say, allow = self._context.translate, self._context.allow
        allow(self.ui.show3DButton, published is not None, texts.SHOW_3D_TOOLTIP, texts.NO_RESULT)
        allow(self.ui.editButton, published is not None, texts.EDIT_TOOLTIP, texts.NO_RESULT)
        self.ui.shortFrame.setVisible(published is not None)
        tell(self.ui.noticesLabel, say(texts.NO_RESULT) if published is None else verdict_html(published, say))
        tell(self.ui.reasonsLabel, "" if published is None else reasons_html(published, say))
        headers, rows = volume_table(published)
        self._context.desktop.fill_table(self.ui.volumesTable, [say(header) for header in headers], rows, ())
        self.ui.volumesTable.setVisible(bool(rows))

    def _on_3d(self, shown: bool) -> None:
        published = self._context.published()
        if published is None:
            return
        if shown:
            show_surfaces(published)
        self._show_threed()

    def _on_edit(self, _checked: bool = False) -> None:
        published = self._context.published()
        if published is None:
            return
        parameters = self._context.parameters
        add_band_segment(published, parameters.bandLow, parameters.bandHigh)
        editor = self._context.desktop.edit_segments(published.segmentation, published.scan)
        limit_editing(editor, published)
