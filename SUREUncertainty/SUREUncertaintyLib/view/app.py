"""The page: joins the parts, and answers what the windows ask for."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..cohort.case_folder import is_cohort
from ..core.errors import InputError
from ..core.volume_sequence import VolumeSequence
from ..mrml.archive import read_mrb
from ..mrml.camera_focus import focus_of
from ..mrml.chosen_map import PAINTED, THREED, hide_in_threed, seen_points
from ..mrml.nodes import MODEL, PublishedNodes, all_published
from ..mrml.other_regions import show_all_regions
from ..mrml.outlines import show_outlines
from ..mrml.reading_back import result_from_nodes
from ..mrml.scan_over_time import add_scan_over_time
from ..mrml.volume_nodes import add_volume
from ..presenters import texts
from ..presenters.worker_bridge import WorkerBridge
from ..worker.client import WorkerClient
from .follow_up_part import FollowUpPart
from .four_views import Stage
from .frames_part import FramesPart
from .input_part import InputPart
from .loop_timer import LoopTimer
from .noise_part import NoisePart
from .numbers_part import NumbersPart
from .open_input import require_own_data, scene_of
from .run_part import RunPart
from .samples_part import SamplesPart
from .scan_frames import ScanFrames
from .session import Session
from .slice_bars import SliceBars
from .tools_part import ToolsPart
from .uncertainty_part import UncertaintyPart
from .worklist_part import WorklistPart

CANCEL_SECONDS = 0.25
"""How long a job may take to stop by itself after Cancel before its process is killed."""

RESTING_SECONDS = 0.8
"""The 3D view follows when the noise slider has rested for this long; slices follow at once."""

SIDES = {
    "R": (1.0, 0.0, 0.0),
    "L": (-1.0, 0.0, 0.0),
    "A": (0.0, 1.0, 0.0),
    "P": (0.0, -1.0, 0.0),
    "S": (0.0, -0.05, 1.0),
    "I": (0.0, 0.05, -1.0),
}
"""Directions in RAS by their letter; a little off the head's axis, which is up."""


class Application:
    """One scene with its controls.

    Args:
        state, flush: trame's state, and what sends it.
    """

    def __init__(self, stage: Stage, state: Any, flush: Callable[[], None]) -> None:
        self.session = Session(stage, state, flush)
        self.bridge = WorkerBridge(LoopTimer, functools.partial(WorkerClient, grace_seconds=CANCEL_SECONDS))
        self.pool = ThreadPoolExecutor(1, "sure-view")
        state.update({"message": None, "busy": "", "title": ""})
        self.uncertainty = UncertaintyPart(self.session)
        self.input = InputPart(self.session, self.bridge)
        self.numbers = NumbersPart(self.session)
        self.frames = FramesPart(self.session)
        self.follow_up = FollowUpPart(self.session)
        self.scan_frames = ScanFrames(self.session, self.show_scan)
        self.runs = RunPart(self.session, self.bridge, self._finished, self._before_run)
        self.noise = NoisePart(self.session, self.bridge, self._noise_request, self._live, self.leave_noise)
        self.slices = SliceBars(self.session)
        self.samples = SamplesPart(self.session)
        self.tools = ToolsPart(self.session)
        self.worklist = WorklistPart(self.session, self.choose_result)
        self.sources: dict[str, Path] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self._surfaces: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """End the worker."""
        self.bridge.close()
        self.pool.shutdown(wait=False, cancel_futures=True)

    async def open(self, path: Path, require: Callable[[Path], object] = Path) -> None:
        """Open a scene, a folder of results, a cohort or a scan.

        Args:
            require: raises ``InputError`` for a file that the page may not read; scans of a cohort lie anywhere.

        Raises:
            InputError: it is none of them, or it is damaged.
        """
        if is_cohort(path):
            self.worklist.open(path, require)
            return
        scene = scene_of(path)
        require_own_data(path)
        if scene is not None:
            read_mrb(self.session.scene, scene)
            results = all_published(self.session.scene)
            if results:
                self._bring_back_boxes(results[-1])
                self.choose_result(results[-1])
            elif self.input.scans():
                self.show_scan(self.input.scans()[-1])
            else:
                raise InputError(f"The scene {scene.name} holds no scan and no result.")
            return
        from ..files.sequence_reading import read_scan

        found = await self.in_thread(read_scan, path)
        add: Callable[[Any, Any], Any] = add_scan_over_time if isinstance(found, VolumeSequence) else add_volume
        node = add(self.session.scene, found)
        self.sources[node.GetID()] = path
        self.show_scan(node)

    async def in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Run work that touches no scene beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work, *arguments)

    def choose_result(self, published: PublishedNodes, keep_band: bool = False, frame: bool = True) -> None:
        """Show a result in all views and parts."""
        session = self.session
        self._show_only(published)
        session.segmentation = published.segmentation
        if not keep_band:
            self.noise.clear_unless_of(published.chosen)
            self.input.choose_model(published.segmentation.GetAttribute(MODEL) or "")
            self.input.choose_scan(published.chosen)
            self.scan_frames.show(published.chosen)
        self.uncertainty.show(published, keep_band)
        self.numbers.show(published)
        self.frames.show(published)
        self.follow_up.refresh()
        self.show_surfaces()
        self.samples.refresh()
        session.state.title = (published.chosen if session.state.cine else published.scan).GetName()
        if frame:
            session.stage.frame(focus_of(published))
        self.slices.update()
        session.stage.redraw()

    def choose_scan(self, identifier: Any) -> None:
        """Show a scan, with its last result where there is one. Raises ``InputError`` for one that is gone."""
        node = next((scan for scan in self.input.scans() if scan.GetID() == identifier), None)
        if node is None:
            raise InputError("This scan is no longer there. Choose another one.")
        self.noise.stop()
        results = [result for result in all_published(self.session.scene) if result.chosen is node]
        if results:
            self.choose_result(results[-1])
        else:
            self.show_scan(node)

    def leave_noise(self) -> None:
        """Back from the scan with noise to the scan itself and its result."""
        if self._surfaces is not None:
            self._surfaces.cancel()
        self.session.stage.hold_threed(False)
        published = self.session.published()
        if self.input.scan() is None or published is None:
            return
        if published.chosen is self.input.scan():
            self._show_only(published)  # a series leaves its last result in the scene
            self.session.stage.redraw()
        else:
            self.choose_scan(self.input.scan().GetID())

    def show_surfaces(self) -> None:
        """Make or hide surfaces as the state says, and bring their uncertainty along."""
        self.numbers.show_surface()
        self.uncertainty.update()

    def frame(self) -> None:
        """Show the whole result, or the whole scan without one, in every view."""
        published = self.session.published()
        if published is None:
            self.session.stage.fit()
        else:
            self.session.stage.frame(focus_of(published))

    def look_from(self, letter: str) -> None:
        """Turn the 3D view so that it is seen from a side of the patient."""
        published = self.session.published()
        if published is not None and letter in SIDES:
            how = self.session.choice("threed", THREED, PAINTED)
            self.session.stage.frame_threed(seen_points(published, how), SIDES[letter])

    def published_of(self, identifier: Any) -> PublishedNodes:
        """The result of a segmentation node. Raises ``InputError`` for one that is gone."""
        for published in all_published(self.session.scene):
            if published.segmentation.GetID() == identifier and published.scan and published.uncertainty:
                return published
        raise InputError("This result is no longer there. Choose another one, or run again.")

    def show_scan(self, node: Any) -> None:
        """A scan without a result yet."""
        stage, state = self.session.stage, self.session.state
        self.noise.clear_unless_of(node)
        self.session.segmentation = None
        self._show_only(None)
        for name in stage.slice_nodes:
            composite = stage.logic(name).GetSliceCompositeNode()
            composite.SetBackgroundVolumeID(node.GetID())
            composite.SetForegroundVolumeID(None)
        self.input.choose_scan(node)
        self.input.leave_foreign_boxes()
        if not self.runs.is_running:
            state.status = texts.READY
        self.uncertainty.show(None)
        self.numbers.show(None)
        self.frames.show(None)
        self.follow_up.refresh()
        self.samples.refresh()
        self.scan_frames.show(node)
        state.title = node.GetName()
        stage.fit()
        self.slices.update()

    def _bring_back_boxes(self, published: PublishedNodes) -> None:
        """The regions of an earlier run, so that Run does the same again."""
        rois = result_from_nodes(published).rois
        if rois and not self.input.boxes():
            self.input.add_boxes(rois)
            self.session.state.boxes = False  # the result is what one wants to see

    def _show_only(self, shown: PublishedNodes | None) -> None:
        """Of several results only one is drawn."""
        for result in all_published(self.session.scene):
            is_shown = shown is not None and result.segmentation is shown.segmentation
            show_all_regions(result)
            show_outlines(result.segmentation, is_shown)
            if not is_shown:
                hide_in_threed(result)

    def _finished(self, published: PublishedNodes) -> None:
        self.session.state.boxes = False
        self.choose_result(published)

    def _before_run(self) -> None:
        self.noise.stop()

    def _noise_request(self) -> Any:
        if self.runs.is_running:
            raise InputError(texts.IS_RUNNING)
        return self.input.request().on_one_frame(self.session.scene)

    def _live(self, published: PublishedNodes) -> None:
        """A position of the noise slider; its surfaces wait until the slider rests."""
        session = self.session
        is_new = session.segmentation is not published.segmentation
        if is_new:
            self._show_only(published)
            self.noise.keep_other_regions()
            session.segmentation = published.segmentation
            session.state.title = published.scan.GetName()
            session.stage.frame(focus_of(published))
        self.uncertainty.show(published, keep_band=True)
        self.numbers.show(published)
        session.stage.hold_threed(True)
        session.stage.redraw()
        if self._surfaces is not None:
            self._surfaces.cancel()
        self._surfaces = asyncio.get_running_loop().call_later(RESTING_SECONDS, self._make_surfaces)

    def _make_surfaces(self) -> None:
        self._surfaces = None
        self.show_surfaces()
        self.session.stage.hold_threed(False)
