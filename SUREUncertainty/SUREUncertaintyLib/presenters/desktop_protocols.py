"""What the panels need from the desktop, so that tests can give something simpler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Timer(Protocol):
    """A repeating timer of the main thread."""

    def start(self) -> None:
        """Begin to tick."""
        ...

    def stop(self) -> None:
        """Tick no more."""
        ...


class Desktop(Protocol):
    """Side effects outside the module's own widgets."""

    def create_timer(self, milliseconds: int, callback: Callable[[], None]) -> Timer:
        """A stopped timer."""
        ...

    def error(self, text: str, details: str = "") -> None:
        """A message that the user closes, with the log behind a button."""
        ...

    def copy(self, text: str) -> None:
        """Put a text on the clipboard."""
        ...

    def save_path(self, title: str, name: str, pattern: str) -> Path | None:
        """Ask where to save; None when the user declines."""
        ...

    def choose_folder(self, title: str) -> Path | None:
        """Ask for a folder; None when the user declines."""
        ...

    def choose_file(self, title: str, pattern: str) -> Path | None:
        """Ask for a file; None when the user declines."""
        ...

    def confirm(self, question: str) -> bool:
        """Ask a question that is answered by yes or no."""
        ...

    def dicom_files(self, scan: Any) -> list[Path]:
        """The DICOM files that a volume node was loaded from; none for other scans."""
        ...

    def open_folder(self, folder: Path) -> None:
        """Show a folder in the system's file manager."""
        ...

    def fill_table(
        self, table: Any, headers: Sequence[str], rows: Sequence[Sequence[str]], ticks: Sequence[bool], wide: int = 0
    ) -> None:
        """Show rows; the first column carries the ticks, the column ``wide`` wraps and takes what the others leave."""
        ...

    def is_ticked(self, table: Any, row: int) -> bool:
        """Whether the first column of a row is ticked."""
        ...

    def crosshair(self) -> tuple[float, float, float] | None:
        """RAS mm of the crosshair; None where it was never placed."""
        ...

    def fit_slices(self) -> None:
        """Zoom the slice views on their volumes."""
        ...

    def frame_threed(self, points: NDArray[np.float64]) -> None:
        """Turn the 3D views to (N, 3) RAS points, so that these fill them."""
        ...

    def show_charts(self, charts: Sequence[Any]) -> None:
        """A layout with these charts beside the other views."""
        ...

    def edit_segments(self, segmentation: Any, scan: Any) -> Any:
        """Go to Segment Editor with these nodes; its parameter node."""
        ...
