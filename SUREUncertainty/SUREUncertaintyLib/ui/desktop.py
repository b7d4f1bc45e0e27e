"""Qt and the application: the only file of the library that imports Qt. See ``protocols.Desktop``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qt  # type: ignore[import-not-found]
import slicer
from numpy.typing import NDArray

from ..mrml.chart_layout import show_charts
from ..mrml.framing import FROM, frame_points

TABLE_HEIGHT = 190
"""Pixels from which on a table scrolls."""


def _fit_height(table: Any) -> None:
    """As high as the rows are, so that what follows stands close below."""
    table.resizeRowsToContents()
    rows = sum(table.rowHeight(row) for row in range(table.rowCount))
    frame = 2 * table.frameWidth
    table.setFixedHeight(min(table.horizontalHeader().height + rows + frame, TABLE_HEIGHT))


class SlicerDesktop:
    """The desktop application."""

    def create_timer(self, milliseconds: int, callback: Callable[[], None]) -> Any:
        """A stopped timer of the main thread."""
        timer = qt.QTimer()
        timer.setInterval(milliseconds)
        timer.connect("timeout()", callback)
        return timer

    def error(self, text: str, details: str = "") -> None:
        """A message with the log behind a button."""
        more = {"detailedText": details} if details else {}
        slicer.util.errorDisplay(text, windowTitle="SURE Uncertainty", **more)

    def copy(self, text: str) -> None:
        """Put a text on the clipboard."""
        slicer.app.clipboard().setText(text)

    def save_path(self, title: str, name: str, pattern: str) -> Path | None:
        """Ask where to save."""
        path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, name, pattern)
        return Path(path) if path else None

    def choose_folder(self, title: str) -> Path | None:
        """Ask for a folder."""
        path = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), title)
        return Path(path) if path else None

    def choose_file(self, title: str, pattern: str) -> Path | None:
        """Ask for a file."""
        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), title, "", pattern)
        return Path(path) if path else None

    def confirm(self, question: str) -> bool:
        """Ask a question that is answered by yes or no."""
        return bool(slicer.util.confirmYesNoDisplay(question, windowTitle="SURE Uncertainty"))

    def dicom_files(self, scan: Any) -> list[Path]:
        """Slicer's DICOM database knows where each image of the volume lies."""
        uids = (scan.GetAttribute("DICOM.instanceUIDs") or "").split()
        found = [slicer.dicomDatabase.fileForInstance(uid) for uid in uids]
        return [Path(path) for path in found if path]

    def open_folder(self, folder: Path) -> None:
        """Show a folder in the system's file manager."""
        folder.mkdir(parents=True, exist_ok=True)
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder)))

    def fill_table(
        self, table: Any, headers: Sequence[str], rows: Sequence[Sequence[str]], ticks: Sequence[bool], wide: int = 0
    ) -> None:
        """Show rows; with ``ticks`` the first column can be ticked, the column ``wide`` takes what the others leave."""
        table.setColumnCount(len(headers))
        table.setHorizontalHeaderLabels(list(headers))
        table.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                item = qt.QTableWidgetItem(cell)
                item.setFlags(qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled)
                if ticks and column == 0:
                    item.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled)
                    item.setCheckState(qt.Qt.Checked if ticks[row] else qt.Qt.Unchecked)
                table.setItem(row, column, item)
        header = table.horizontalHeader()
        for column in range(len(headers)):
            mode = qt.QHeaderView.Stretch if column == wide else qt.QHeaderView.ResizeToContents
            header.setSectionResizeMode(column, mode)
        table.verticalHeader().setVisible(False)
        table.resizeRowsToContents()
        timer = qt.QTimer(table)  # columns get their widths when the panel is laid out; it goes with the table
        timer.setSingleShot(True)
        timer.connect("timeout()", lambda: _fit_height(table))
        timer.connect("timeout()", timer, "deleteLater()")
        timer.start(0)

    def is_ticked(self, table: Any, row: int) -> bool:
        """Whether the first column of a row is ticked."""
        return bool(table.item(row, 0).checkState() == qt.Qt.Checked)

    def crosshair(self) -> tuple[float, float, float] | None:
        """RAS mm of the crosshair, which Shift and the mouse move."""
        node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        position = tuple(node.GetCrosshairRAS()) if node is not None else (0.0, 0.0, 0.0)
        return None if position == (0.0, 0.0, 0.0) else (position[0], position[1], position[2])

    def fit_slices(self) -> None:
        """Zoom the slice views on their volumes."""
        slicer.util.resetSliceViews()

    def frame_threed(self, points: NDArray[np.float64]) -> None:
        """Turn the 3D views to points."""
        layout = slicer.app.layoutManager()
        for number in range(layout.threeDViewCount):
            view = layout.threeDWidget(number).threeDView()
            window = view.renderWindow()
            frame_points(window.GetRenderers().GetFirstRenderer(), window.GetSize(), points, FROM)
            view.scheduleRender()

    def show_charts(self, charts: Sequence[Any]) -> None:
        """A layout with these charts beside the other views."""
        show_charts(slicer.mrmlScene, charts)

    def edit_segments(self, segmentation: Any, scan: Any) -> Any:
        """Go to Segment Editor with these nodes; its parameter node."""
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        editor.setSegmentationNode(segmentation)
        editor.setSourceVolumeNode(scan)
        return editor.mrmlSegmentEditorNode()
