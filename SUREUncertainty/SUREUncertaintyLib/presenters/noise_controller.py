"""The live noise slider and the robustness series: the same region again and again with other intensities.

While the slider moves, previews follow it: voxels only, exchanged in place. When it has rested for a moment, the full
result of that position takes their place, with its tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from ..analysis.noise_series import LEVELS, LevelRow, damaged, level_row
from ..core.errors import SureError
from ..core.roi import Roi, roi_grid, roi_slices
from ..core.volume import Volume
from ..corruptions.registry import CORRUPTIONS
from ..inference.result import SegmentationResult
from ..mrml.boxes import roi_from_node
from ..mrml.live_preview import exchange_voxels
from ..mrml.nodes import PublishedNodes, all_published
from ..mrml.noise_series import SeriesNodes, SeriesStep, publish_series
from ..mrml.other_regions import show_other_regions
from ..mrml.publish import publish
from ..mrml.volume_nodes import add_volume, fill_volume, right_handed, volume_from_node
from ..worker.failures import Failure, failure_of
from .desktop_protocols import Timer
from .latest_request import LatestValue
from .run_controller import RunRequest
from .worker_bridge import WorkerBridge

REST_MILLISECONDS = 350
"""How long the slider must rest before the full result is computed."""


@dataclass(frozen=True)
class Noise:
    """One position of the slider; ``is_preview`` while the hand moves."""

    kind: str
    strength: float
    seed: int
    is_preview: bool = False


class NoiseView(Protocol):
    """Where the noise panel's work reports to."""

    def show_live(self, noise: Noise, row: LevelRow, published: PublishedNodes) -> None:
        """A position of the slider is in the scene."""
        ...

    def show_step(self, number: int, count: int, level: float) -> None:
        """The series begins a level."""
        ...

    def show_series(self, rows: Sequence[LevelRow], nodes: SeriesNodes) -> None:
        """The series is complete and in the scene."""
        ...

    def show_noise_failure(self, why: Failure) -> None:
        """There is no result."""
        ...


class NoiseController:
    """Re-segments the region of interest (the whole scan without one) with noise on it.

    The damaged scan and its result are nodes of their own; the scan and its result stay as they are.
    """

    def __init__(
        self,
        bridge: WorkerBridge,
        scene: Callable[[], Any],
        view: NoiseView,
        create_timer: Callable[[int, Callable[[], None]], Timer],
    ) -> None:
        self._bridge, self._scene, self._view = bridge, scene, view
        self._latest = LatestValue(self._start)
        self._rest = create_timer(REST_MILLISECONDS, self._settle)
        self._previewed: Noise | None = None
        self._live: PublishedNodes | None = None
        self._part: Volume | None = None
        self._rois: tuple[Roi, ...] = ()
        self._clean: SegmentationResult | None = None
        self._scan: Any = None
        self._key: tuple[Any, ...] = ()
        self._request: RunRequest | None = None
        self._series: list[tuple[Noise, SegmentationResult]] | None = None
        self._levels: list[Noise] = []
        self._round = 0

    @property
    def is_running(self) -> bool:
        """Whether a re-segmentation or a series is under way."""
        return self._latest.is_running

    def move(self, request: RunRequest, noise: Noise) -> None:
        """The slider moved; of the positions that come while one is computed only the last is computed."""
        self._rest.stop()
        self._request, self._series = request, None
        self._submit(replace(noise, is_preview=True))

    def run_series(self, request: RunRequest, kind: str, seed: int, levels: Sequence[float] = LEVELS) -> None:
        """Segment at every level, one after the other."""
        self._rest.stop()
        self._request, self._series = request, []
        self._levels = [Noise(kind, level, seed) for level in levels]
        self._submit(self._levels[0])

    def stop(self) -> None:
        """Forget what waits and runs; nothing more is shown."""
        if self.is_running:
            self._bridge.cancel()
        self._rest.stop()
        self._latest.clear()
        self._round += 1
        self._series, self._scan, self._clean, self._part, self._key = None, None, None, None, ()
        self._previewed = self._live = None

    def _submit(self, noise: Noise) -> None:
        try:
            self._latest.submit(noise)
        except (SureError, MemoryError, OSError) as error:
            self._fail(failure_of(error))

    def _start(self, noise: Noise) -> None:
        assert self._request is not None
        request = self._request
        part = self._prepare(request)
        if self._clean is None or self._bridge.open_scan is not part:
            keep = self._of_this_round(partial(self._keep_clean, noise))
            fail = self._of_this_round(self._fail)
            wanted = request.model, request.engine, part, self._rois
            self._bridge.segment(*wanted, _ignore, keep, fail, passes=request.passes)
            return
        if self._series is not None:
            self._view.show_step(len(self._series) + 1, len(self._levels), noise.strength)
        array = damaged(part, noise.kind, noise.strength, noise.seed)
        finish = self._of_this_round(partial(self._finish, noise))
        preview = noise.is_preview and self._live is not None
        self._bridge.resegment(array, preview, finish, self._of_this_round(self._fail))

    def _of_this_round(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        """The callback until ``stop``: what was stopped may still answer."""
        begun = self._round
        return lambda answer: callback(answer) if self._round == begun else None

    def _prepare(self, request: RunRequest) -> Volume:
        """The part of the scan that is re-segmented; a changed scan, region or model begins anew.

        It goes to the model with its box: a part alone would count as a whole scan, which a model may search and never
        sees in windows along the patient's axes.
        """
        region = None if request.region is None else roi_from_node(request.region)
        runs_on = request.model, request.engine, request.passes
        key = (request.scan.GetID(), request.scan.GetImageData().GetMTime(), region, *runs_on)
        if self._part is None or key != self._key:
            whole = volume_from_node(request.scan)
            part = whole if region is None else _cut(whole, region)
            self._part = part.with_array(part.array, f"{whole.name} with noise")
            self._rois = () if region is None else (region,)
            self._key, self._clean, self._scan, self._live = key, None, None, None
        return self._part

    def _keep_clean(self, noise: Noise, result: SegmentationResult) -> None:
        self._clean = result
        self._go_on(noise)

    def _finish(self, noise: Noise, result: SegmentationResult) -> None:
        if self._series is None:
            self._go_on(None)  # the worker is not idle while this result goes into the scene
            self._show(noise, result)
            return
        try:
            following = self._next_level(noise, result)
        except (SureError, MemoryError) as error:
            self._fail(failure_of(error))
            return
        self._go_on(following)

    def _show(self, noise: Noise, result: SegmentationResult) -> None:
        is_preview = bool(result.provenance.get("preview"))
        try:
            if not is_preview or self._live is None or not exchange_voxels(self._live, result):
                self._live = self._publish(result)
            self._view.show_live(replace(noise, is_preview=is_preview), self._row(noise, result), self._live)
        except (SureError, MemoryError) as error:
            self._fail(failure_of(error))
            return
        if is_preview and not self.is_running:
            self._previewed = noise
            self._rest.start()

    def _settle(self) -> None:
        """The slider has rested on what is shown as a preview."""
        self._rest.stop()
        noise, self._previewed = self._previewed, None
        if noise is not None and not self.is_running and self._series is None:
            self._submit(replace(noise, is_preview=False))

    def _go_on(self, following: Noise | None) -> None:
        try:
            self._latest.done(following)
        except (SureError, MemoryError, OSError) as error:
            self._fail(failure_of(error))

    def _next_level(self, noise: Noise, result: SegmentationResult) -> Noise | None:
        """The level that follows; after the last one the series goes into the scene."""
        assert self._series is not None
        if noise != self._levels[len(self._series)]:
            return self._levels[len(self._series)]  # a position of the slider from before the series
        self._series.append((noise, result))
        if len(self._series) < len(self._levels):
            return self._levels[len(self._series)]
        steps, self._series = self._series, None
        rows = [self._row(step, answer) for step, answer in steps]
        published = self._publish(steps[-1][1])
        shown = [
            SeriesStep(step.strength, right_handed(answer.image), right_handed(answer.uncertainty))
            for step, answer in steps
        ]
        damage = CORRUPTIONS[noise.kind].title
        name = f"{published.scan.GetName()} ({noise.kind})"
        self._view.show_series(rows, publish_series(self._scene(), name, damage, rows, shown, published))
        return None

    def _row(self, noise: Noise, result: SegmentationResult) -> LevelRow:
        assert self._clean is not None
        grid = result.labels.grid
        return level_row(
            noise.strength,
            self._clean.labels.array,
            result.labels.array,
            result.uncertainty.array,
            grid.voxel_volume_mm3,
        )

    def keep_other_regions(self) -> None:
        """Of the scan's own result show what lies in regions that the slider leaves alone."""
        request = self._request
        if request is None or request.region is None:
            return
        results = [result for result in all_published(self._scene()) if result.scan is request.scan]
        if results:
            show_other_regions(results[-1], request.region.GetName())

    def _publish(self, result: SegmentationResult) -> PublishedNodes:
        """The damaged part as a scan of its own, updated in place, and the result on it."""
        scene = self._scene()
        if self._scan is None or not scene.IsNodePresent(self._scan):
            self._scan = add_volume(scene, result.image)
        else:
            fill_volume(self._scan, right_handed(result.image), ExitStack())
        return publish(scene, result, self._scan)

    def _fail(self, why: Failure) -> None:
        self._rest.stop()
        self._latest.clear()
        self._series = None
        self._view.show_noise_failure(why)


def _cut(volume: Volume, region: Roi) -> Volume:
    array = volume.array[roi_slices(volume.grid, region)]
    return Volume(array.copy(), roi_grid(volume.grid, region), volume.name)


def _ignore(fraction: float, text: str) -> None:
    """The progress of the first, clean run is not shown."""
