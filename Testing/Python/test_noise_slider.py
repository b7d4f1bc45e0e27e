"""The live noise slider between the hand and the worker: what is computed when, and what no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from brains import turned_brain
from phantoms import asymmetric_volume
from results import result_on
from SUREUncertaintyLib.core.roi import Roi, roi_slices
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.session import LiveSession
from SUREUncertaintyLib.location.choice import needs_search
from SUREUncertaintyLib.mrml.boxes import add_roi_node
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.volume_nodes import add_volume
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.presenters.noise_controller import Noise, NoiseController
from SUREUncertaintyLib.presenters.run_controller import RunRequest


class Worker:
    """A worker that answers when the test says so; ``jobs`` are the damaged scans with "preview" or "full"."""

    def __init__(self) -> None:
        self.open_scan: Volume | None = None
        self.jobs: list[str] = []
        self.rois: list[tuple[Roi, ...]] = []
        self._answer: Callable[[], None] | None = None

    def segment(
        self, model: str, engine: str, volume: Volume, rois: Any, told: Any, found: Any, failed: Any, *, passes: str
    ) -> None:
        self.open_scan = volume
        self.rois.append(tuple(rois))
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


class ModelBridge:
    """The worker's session without its process; answers at once."""

    def __init__(self, session: LiveSession) -> None:
        self.open_scan: Volume | None = None
        self.found: list[SegmentationResult] = []
        self._session = session

    def segment(
        self, model: str, engine: str, volume: Volume, rois: Any, told: Any, found: Any, failed: Any, *, passes: str
    ) -> None:
        self.open_scan = volume
        self._session.open(volume, rois)
        self.found.append(self._session.segment())
        found(self.found[-1])

    def resegment(self, array: Any, preview: bool, found: Any, failed: Any) -> None:
        self.found.append(self._session.preview(array) if preview else self._session.segment(array))
        found(self.found[-1])

    def cancel(self) -> None:
        pass


def series_on(brain: Volume, region: Roi, session: LiveSession) -> tuple[Panel, ModelBridge]:
    """A noise series of two levels on a region of a scan."""
    with HeadlessScene() as headless:
        scene, bridge, panel = headless.scene, ModelBridge(session), Panel()
        controller = NoiseController(bridge, lambda: scene, panel, Clock)  # type: ignore[arg-type]
        node = add_roi_node(scene, region)
        request = RunRequest(add_volume(scene, brain), node, session.package.name, "openvino", 0.5)
        controller.run_series(request, "gaussian", 1, (0.0, 0.2))
    assert bridge.open_scan is not None
    assert needs_search(bridge.open_scan.grid, session.package.metadata), "else this tests nothing"
    return panel, bridge


@pytest.fixture
def session() -> LiveSession:
    return LiveSession(find_package("hippocampus-t1"), "openvino", threads=1)


def test_a_large_region_is_never_searched(session: LiveSession) -> None:
    assert session.package.metadata.locator is not None
    box = session.package.metadata.locator.boxes[0]
    low, high = np.asarray(box.low) - 10, np.asarray(box.high) + 10
    panel, bridge = series_on(turned_brain(0.0), Roi("Left", tuple(low.tolist()), tuple(high.tolist())), session)
    assert panel.series == [0.0, 0.2]
    assert [roi.name for result in bridge.found for roi in result.rois] == ["Left"] * 3


def test_on_an_oblique_scan_the_part_is_seen_in_the_same_window_as_by_a_run(session: LiveSession) -> None:
    assert session.package.metadata.locator is not None
    brain = turned_brain(35.0)
    rois = session.package.metadata.locator.boxes[:1]
    for _ in range(3):  # until the box rests: on this average of many heads it needs more moves than one run makes
        (resting,) = rois
        session.open(brain, rois)
        whole = session.segment()
        rois = whole.rois
    assert whole.rois == (resting,)
    panel, bridge = series_on(brain, resting, session)
    assert panel.series == [0.0, 0.2]
    part = bridge.found[0]
    block = roi_slices(brain.grid, resting)
    assert np.array_equal(part.labels.array, whole.labels.array[block])
    assert 0.3 < np.isfinite(part.uncertainty.array).mean() < 0.7, "the window fills a part of the block around it"
    assert np.allclose(part.uncertainty.array, whole.uncertainty.array[block], atol=1e-3, equal_nan=True)


def test_the_part_goes_to_the_worker_with_its_box(desk: Desk) -> None:
    scene = desk.request.scan.GetScene()
    bounds = [0.0] * 6
    desk.request.scan.GetRASBounds(bounds)
    box = Roi("Mine", (bounds[0] + 2, bounds[2] + 2, bounds[4] + 2), (bounds[1] - 2, bounds[3] - 2, bounds[5] - 2))
    desk.request = replace(desk.request, region=add_roi_node(scene, box))
    desk.move(0.1)
    ((sent,),) = desk.worker.rois
    assert sent.name == "Mine"
    assert np.allclose([sent.low, sent.high], [box.low, box.high])
