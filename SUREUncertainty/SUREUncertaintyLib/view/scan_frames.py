"""The frames of a scan over time before it is measured: a slider that shows one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..mrml.scan_over_time import browser_of, frame_number, show_frame
from ..mrml.sequences import step_count
from .session import Session


class ScanFrames:
    """Follows ``scan_frame`` of the state, from 0; ``scan_frames`` is how many the chosen scan has, 0 for one volume.

    Args:
        show_scan: shows a scan without a result, called when the slider leaves the frame that was segmented.
    """

    def __init__(self, session: Session, show_scan: Callable[[Any], None]) -> None:
        self._session, self._show_scan = session, show_scan
        self._scan: Any = None
        session.state.update({"scan_frames": 0, "scan_frame": 0})

    def show(self, scan: Any) -> None:
        """Another scan is chosen."""
        browser = browser_of(self._session.scene, scan)
        self._scan = None if browser is None else scan
        number = 0 if browser is None else frame_number(browser)
        self._session.state.update({"scan_frames": step_count(browser), "scan_frame": number})

    def update(self) -> None:
        """Show the frame that the slider points at."""
        scene = self._session.scene
        browser = browser_of(scene, self._scan)
        if browser is None:
            return
        number = int(self._session.number("scan_frame", 0, step_count(browser) - 1, 0))
        if number == frame_number(browser):
            return
        show_frame(scene, self._scan, number)
        if self._session.segmentation is not None:
            self._show_scan(self._scan)
        self._session.stage.redraw()
