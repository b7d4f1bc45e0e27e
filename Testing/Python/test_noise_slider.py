"""The live noise slider between the hand and the worker: what is computed when, and what no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from phantoms import asymmetric_volume
from results import result_on
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.volume_nodes import add_volume
from SUREUncertaintyLib.presenters.noise_controller import Noise, NoiseController
from SUREUncertaintyLib.presenters.run_controller import RunRequest


class Worker:
    """A worker that answers when the test says so; ``jobs`` are the damaged scans with "preview" or "full"."""

    def __init__(self) -> None:
        self.open_scan: Volume | None = None
        self.jobs: list[str] = []
        self._answer: Callable[[], None] | None = None

    def segment(self, model: str, engine: str, volume: Volume, rois: Any, told: Any, found: Any, failed: Any) -> None:
        self.open_scan = volume
        self._begin("clean", lambda: found(result_on(volume)))

    def resegment(self, array: Any, preview: bool, found: Any, failed: Any) -> None:
        assert self.open_scan is not None
        result = result_on(self.open_scan.with_array(array))
        answer = replace(result, provenance={**result.provenance, "preview": preview})
        self._begin("preview" if preview else "full", lambda: found(answer))

    def cancel(self) -> None:
        self._answer = None

    def _begin(self, name: str, answer: Callable[[], None]) -> None:
        assert self._answer is None, "one job at a time"
        self.jobs.append(name)
        self._answer = answer

    def answer(self) -> None:
        """The job that runs has ended."""
        assert self._answer is not None, "nothing runs"
        answer, self._answer = self._answer, None
        answer()


class Panel:
    """Keeps what is shown: strength and whether it is a preview."""

    def __init__(self) -> None:
        self.shown: list[tuple[float, bool]] = []
        self.series: list[float] = []

    def show_live(self, noise: Noise, row: Any, published: Any) -> None:
        self.shown.append((noise.strength, noise.is_preview))

    def show_step(self, number: int, count: int, level: float) -> None:
        pass

    def show_series(self, rows: Any, nodes: Any) -> None:
        self.series = [row.level for row in rows]

    def show_noise_failure(self, why: Any) -> None:
        raise AssertionError(why)


class Clock:
    """A timer that the test lets tick; a tick may also come that was on its way when the timer stopped."""

    def __init__(self, milliseconds: int, callback: Callable[[], None]) -> None:
        self.tick, self.is_active = callback, False

    def start(self) -> None:
        self.is_active = True

    def stop(self) -> None:
        self.is_active = False


class Desk:
    """The controller between a worker and a panel, on a real scene."""

    def __init__(self, scene: Any) -> None:
        self.worker, self.panel = Worker(), Panel()
        self.clocks: list[Clock] = []
        self.controller = NoiseController(self.worker, lambda: scene, self.panel, self._clock)  # type: ignore[arg-type]
        scan = add_volume(scene, asymmetric_volume(Grid((12, 14, 16))))
        self.request = RunRequest(scan, None, "tiny", "openvino", 0.5)

    def _clock(self, milliseconds: int, callback: Callable[[], None]) -> Any:
        self.clocks.append(Clock(milliseconds, callback))
        return self.clocks[-1]

    def move(self, strength: float) -> None:
        self.controller.move(self.request, Noise("gaussian", strength, 1))

    def warm_up(self) -> None:
        """The first position: the clean part, and a full result that later previews are exchanged into."""
        self.move(0.1)
        self.worker.answer()
        self.worker.answer()
        assert self.worker.jobs == ["clean", "full"]
        assert self.panel.shown == [(0.1, False)]
        assert not self.clocks[0].is_active


@pytest.fixture
def desk() -> Iterator[Desk]:
    with HeadlessScene() as headless:
        yield Desk(headless.scene)


def test_a_preview_that_rests_becomes_the_full_result_once(desk: Desk) -> None:
    desk.warm_up()
    desk.move(0.2)
    desk.worker.answer()
    assert desk.panel.shown[1:] == [(0.2, True)]
    (clock,) = desk.clocks
    assert clock.is_active
    clock.tick()
    assert not clock.is_active
    desk.worker.answer()
    clock.tick()
    assert desk.panel.shown[2:] == [(0.2, False)]
    assert desk.worker.jobs[2:] == ["preview", "full"]
    assert not desk.controller.is_running


def test_a_tick_that_comes_while_the_next_position_is_computed_settles_nothing(desk: Desk) -> None:
    desk.warm_up()
    desk.move(0.2)
    desk.worker.answer()
    desk.move(0.3)
    assert not desk.clocks[0].is_active
    desk.clocks[0].tick()  # was on its way
    desk.worker.answer()
    assert not desk.controller.is_running, "the position of before the move must not be computed again"
    assert desk.panel.shown[1:] == [(0.2, True), (0.3, True)]
    desk.clocks[0].tick()
    desk.worker.answer()
    assert desk.panel.shown[3:] == [(0.3, False)]


def test_of_the_positions_that_come_meanwhile_only_the_last_is_computed(desk: Desk) -> None:
    desk.warm_up()
    for strength in (0.2, 0.3, 0.4, 0.5):
        desk.move(strength)
    desk.worker.answer()
    assert not desk.clocks[0].is_active, "a preview that is overtaken does not rest"
    desk.worker.answer()
    assert desk.panel.shown[1:] == [(0.2, True), (0.5, True)]
    assert desk.worker.jobs[2:] == ["preview", "preview"]


def test_a_tick_during_a_series_settles_nothing(desk: Desk) -> None:
    desk.warm_up()
    desk.move(0.2)
    desk.worker.answer()
    desk.controller.run_series(desk.request, "gaussian", 1, (0.0, 0.5))
    desk.clocks[0].tick()
    desk.worker.answer()
    desk.worker.answer()
    assert desk.panel.series == [0.0, 0.5]
    assert not desk.controller.is_running
    assert desk.panel.shown[1:] == [(0.2, True)]


def test_what_was_stopped_shows_nothing_and_rests_no_more(desk: Desk) -> None:
    desk.warm_up()
    desk.move(0.2)
    desk.worker.answer()
    desk.controller.stop()
    desk.clocks[0].tick()
    assert not desk.controller.is_running
    assert desk.panel.shown[1:] == [(0.2, True)]
    assert np.array_equal(desk.worker.jobs[-1:], ["preview"])
