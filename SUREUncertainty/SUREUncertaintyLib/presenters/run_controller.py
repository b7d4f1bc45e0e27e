"""Run and Cancel: from nodes to the worker and back into the scene. Free of Qt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from ..cine.cine_result import CineResult, require_one_region
from ..core.errors import InputError, SureError
from ..core.roi import Roi
from ..inference.native.choice import ALL
from ..inference.result import SegmentationResult
from ..mrml.boxes import roi_from_node
from ..mrml.cine_frames import publish_cine
from ..mrml.display import show_overlay
from ..mrml.located_boxes import show_located
from ..mrml.nodes import PublishedNodes, all_published
from ..mrml.publish import publish, publish_frame
from ..mrml.scan_over_time import browser_of, frame_of_node, sequence_from_node
from ..mrml.volume_nodes import volume_from_node
from ..worker.failures import Failure, failure_of
from .worker_bridge import WorkerBridge

ONE_IMAGE = "This model wants several images; frame by frame it would get one only. Clear 'All frames' to run it."


@dataclass(frozen=True)
class RunRequest:
    """What the user asked for.

    Attributes:
        region: an ROI node; None: the model searches where it can, else the whole scan.
        further: more regions of the same run, whose structures join the same segmentation.
        channels: name and node of every further image, for models that take several.
        all_frames: measure every frame of the scan, which ``scan`` shows one at a time.
        passes: of a model that has several folds or mirrored copies, see ``native.choice.offered_passes``.
    """

    scan: Any
    region: Any
    model: str
    engine: str
    opacity: float
    further: tuple[Any, ...] = ()
    channels: tuple[tuple[str, Any], ...] = ()
    all_frames: bool = False
    passes: str = ALL

    def rois(self) -> tuple[Roi, ...]:
        """The boxes, RAS mm. Raises ``InputError`` for one that is not placed yet."""
        return () if self.region is None else tuple(roi_from_node(node) for node in (self.region, *self.further))

    def on_one_frame(self, scene: Any) -> RunRequest:
        """The same on one volume: of a scan over time the frame of its last result, else the one that is shown."""
        own = [result.scan for result in all_published(scene) if result.source is self.scan and result.scan is not None]
        return replace(self, scan=own[-1] if own else self.scan, all_frames=False)


class RunView(Protocol):
    """Where a run reports to."""

    def show_progress(self, fraction: float, text: str, elapsed: float) -> None:
        """While it runs."""
        ...

    def show_result(self, result: SegmentationResult, published: PublishedNodes, seconds: float) -> None:
        """The result is in the scene."""
        ...

    def show_failure(self, why: Failure) -> None:
        """There is no result; the scene is as it was."""
        ...


class RunController:
    """One run at a time.

    Args:
        scene: gives the scene.
    """

    def __init__(self, bridge: WorkerBridge, scene: Callable[[], Any], view: RunView) -> None:
        self._bridge, self._scene, self._view = bridge, scene, view
        self._request: RunRequest | None = None
        self._began = 0.0

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self._request is not None

    def start(self, request: RunRequest) -> None:
        """Begin; every outcome, a refused input too, comes through the view."""
        self._request, self._began = request, time.monotonic()
        try:
            browser = browser_of(self._scene(), request.scan)
            if request.all_frames and browser is not None:
                self._start_frames(request, browser)
            else:
                self._start_volume(request, browser)
        except (SureError, MemoryError, OSError) as error:
            self._view_failure(failure_of(error))

    def _start_volume(self, request: RunRequest, browser: Any) -> None:
        scan = request.scan
        self._bridge.segment(
            request.model,
            request.engine,
            volume_from_node(scan) if browser is None else frame_of_node(browser, scan),
            request.rois(),
            self._bound(request, self._on_progress),
            self._bound(request, partial(self._on_result, of_frame=browser is not None)),
            self._bound(request, self._view_failure),
            {name: volume_from_node(node) for name, node in request.channels},
            request.passes,
        )

    def _start_frames(self, request: RunRequest, browser: Any) -> None:
        if request.channels:
            raise InputError(ONE_IMAGE)
        rois = request.rois()
        require_one_region(rois)
        self._bridge.frames(
            request.model,
            request.engine,
            sequence_from_node(browser, request.scan),
            rois,
            self._bound(request, self._on_progress),
            self._bound(request, self._on_cine),
            self._bound(request, self._view_failure),
            request.passes,
        )

    def cancel(self) -> None:
        """Stop the run; it ends with the failure ``cancelled``."""
        self._bridge.cancel()

    def forget(self) -> None:
        """The scene is going: stop the run and drop its answer."""
        if self.is_running:
            self._request = None
            self._bridge.cancel()

    def _bound(self, request: RunRequest, callback: Callable[..., None]) -> Callable[..., None]:
        """The callback for as long as this request is the current one."""
        return lambda *arguments: callback(*arguments) if self._request is request else None

    def _on_progress(self, fraction: float, text: str) -> None:
        self._view.show_progress(fraction, text, time.monotonic() - self._began)

    def _on_result(self, result: SegmentationResult, of_frame: bool = False) -> None:
        def put(scene: Any, scan: Any) -> PublishedNodes:
            return publish_frame(scene, result, scan) if of_frame else publish(scene, result, scan)

        self._finish(result, put)

    def _on_cine(self, result: CineResult) -> None:
        def put(scene: Any, scan: Any) -> PublishedNodes:
            return publish_cine(scene, result, scan).published

        self._finish(result.end_diastole, put)

    def _finish(self, result: SegmentationResult, put: Callable[[Any, Any], PublishedNodes]) -> None:
        """Bring a result into the scene, by ``put`` of the scene and the scan, and show it."""
        request, seconds = self._request, time.monotonic() - self._began
        assert request is not None
        try:
            if not self._scene().IsNodePresent(request.scan):
                raise InputError("The scan was deleted while it was segmented, so that the result has no place.")
            published = put(self._scene(), request.scan)
            show_overlay(self._scene(), published, request.opacity)
            if request.region is None:
                show_located(self._scene(), request.scan, request.model, result.rois)
        except (SureError, MemoryError) as error:
            self._view_failure(failure_of(error))
            return
        self._request = None
        self._view.show_result(result, published, seconds)

    def _view_failure(self, why: Failure) -> None:
        self._request = None
        self._view.show_failure(why)
