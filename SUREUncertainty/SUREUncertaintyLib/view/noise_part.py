"""Noise: a slider that damages the scan and segments it again live, and a series over its whole range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..analysis.noise_series import KINDS, LevelRow
from ..corruptions.registry import CORRUPTIONS
from ..mrml.nodes import PublishedNodes
from ..mrml.noise_series import SeriesNodes
from ..presenters import texts
from ..presenters.noise_controller import Noise, NoiseController
from ..presenters.result_sentences import live_sentence, series_sentence
from ..presenters.run_controller import RunRequest
from ..presenters.worker_bridge import WorkerBridge
from ..worker.failures import Failure
from .loop_timer import LoopTimer
from .series_picture import series_charts
from .session import Session

LARGEST_SEED = 9999


class NoisePart:
    """The view of a ``NoiseController``; follows ``noise_kind``, ``strength``, ``seed`` and ``live`` of the state.

    Args:
        request: what is re-segmented; raises ``InputError`` when that is not chosen yet.
        shown: gets a live result that is in the scene.
        ended: called when the slider or the series has ended, so that the clean result comes back.
    """

    def __init__(
        self,
        session: Session,
        bridge: WorkerBridge,
        request: Callable[[], RunRequest],
        shown: Callable[[PublishedNodes], None],
        ended: Callable[[], None],
    ) -> None:
        self._session, self._request, self._shown, self._ended = session, request, shown, ended
        self._controller = NoiseController(bridge, lambda: session.scene, self, LoopTimer)
        self._is_live = False
        kinds = [{"id": name, "name": CORRUPTIONS[name].title} for name in KINDS]
        session.state.update({"noise_kinds": kinds, "noise_kind": KINDS[0], "strength": 0.0, "seed": 0, "live": False})
        session.state.update({"noise_text": "", "series": None, "series_running": False, "live_busy": False})

    def update(self) -> None:
        """Follow the state: a position of the live slider, or its end."""
        if self._session.state.live is True:
            self._session.state.live_busy = True
            self._controller.move(self._request(), self._noise())
            self._is_live = True
        elif self._is_live:
            self.stop()
            self._ended()

    def run_series(self) -> None:
        """Segment at every strength. Raises ``InputError`` when there is nothing to segment."""
        noise, request = self._noise(), self._request()
        self._is_live = False
        self._session.state.update({"live": False, "series_running": True, "series": None})
        self._controller.run_series(request, noise.kind, noise.seed)

    def clear_unless_of(self, scan: Any) -> None:
        """What was said about another scan is not said about this one."""
        if self._session.state.scan != scan.GetID():
            self._session.state.update({"noise_text": "", "series": None})

    def keep_other_regions(self) -> None:
        """Of the scan's own result show what lies in regions that the slider leaves alone."""
        self._controller.keep_other_regions()

    def stop(self) -> None:
        """End the slider or the series."""
        self._is_live = False
        self._controller.stop()
        self._session.state.update({"live": False, "series_running": False, "live_busy": False})

    def show_live(self, noise: Noise, row: LevelRow, published: PublishedNodes) -> None:
        """For ``NoiseController``."""
        self._session.state.live_busy = False
        self._session.state.noise_text = live_sentence(noise, row, self._request(), str)
        self._shown(published)
        self._session.flush()

    def show_step(self, number: int, count: int, level: float) -> None:
        """For ``NoiseController``."""
        self._session.state.noise_text = texts.SERIES_STEP.format(number=number, count=count, level=level)
        self._session.flush()

    def show_series(self, rows: Sequence[LevelRow], nodes: SeriesNodes) -> None:
        """For ``NoiseController``."""
        damage = CORRUPTIONS[self._noise().kind].title
        self._session.state.series = {"charts": series_charts(rows, damage)}
        self._session.state.series_running = False
        self._session.state.noise_text = series_sentence(rows, str)
        self._ended()
        self._session.flush()

    def show_noise_failure(self, why: Failure) -> None:
        """For ``NoiseController``."""
        self._is_live = False
        self._session.state.update({"live": False, "series_running": False, "live_busy": False})
        self._session.state.noise_text = f"{why.text} {why.action}"
        self._session.flush()

    def _noise(self) -> Noise:
        session = self._session
        kind = session.choice("noise_kind", KINDS, KINDS[0])
        seed = int(session.number("seed", 0, LARGEST_SEED, 0))
        return Noise(kind, round(session.number("strength", 0.0, 1.0, 0.0), 3), seed)
