"""The whole panel: joins the parts and answers the controllers. Free of Qt; widgets come in by the .ui file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..analysis.noise_series import LevelRow
from ..core.errors import SureError
from ..core.translation import Translate
from ..inference.result import SegmentationResult
from ..mrml.chosen_map import hide_result
from ..mrml.cine_frames import curve_chart, frames_browser
from ..mrml.display import look_at, outline_only
from ..mrml.nodes import PublishedNodes, all_published
from ..mrml.noise_series import SeriesNodes
from ..mrml.other_regions import show_all_regions
from ..mrml.outlines import follow_outlines
from ..mrml.remeasure import needs_measuring, remeasure
from ..presenters import texts
from ..presenters.desktop_protocols import Desktop
from ..presenters.noise_controller import Noise, NoiseController
from ..presenters.pace import Pace
from ..presenters.run_controller import RunController, RunRequest
from ..presenters.words import words_html
from ..presenters.worker_bridge import WorkerBridge
from ..worker.failures import Failure
from .context import PanelContext
from .dependencies import Dependencies
from .export_panel import ExportPanel
from .fit_panel import FitPanel
from .follow_up_panel import FollowUpPanel
from .input_panel import InputPanel
from .model_panel import ModelPanel
from .noise_panel import NoisePanel
from .numbers_panel import NumbersPanel
from .results_panel import ResultsPanel
from .sample_data import HEAD_MODEL, SampleError, load_average, load_head, load_phantom
from .setup_panel import SetupPanel
from .steps_panel import StepsPanel
from .train_panel import TrainPanel
from .uncertainty_panel import UncertaintyPanel
from .worklist_panel import WorklistPanel


class ModulePanel:
    """Everything below the module's title.

    Args:
        ui: the widgets of the .ui file by object name.
        scene: gives the scene.
        desktop: side effects outside the panel.
        dependencies: what a run needs beyond Slicer.
        translate: of texts.
        slicer_version: for the report.
        bridge, training_bridge, import_bridge: the workers for segmenting, training and imports; real ones by default.
    """

    def __init__(
        self,
        ui: Any,
        scene: Callable[[], Any],
        desktop: Desktop,
        dependencies: Dependencies,
        translate: Translate = str,
        slicer_version: str = "",
        bridge: WorkerBridge | None = None,
        training_bridge: WorkerBridge | None = None,
        import_bridge: WorkerBridge | None = None,
        fit_bridge: WorkerBridge | None = None,
    ) -> None:
        self.ui = ui
        self.context = PanelContext(ui, scene, desktop, translate)
        self.bridge = bridge or WorkerBridge(desktop.create_timer)
        self.runs = RunController(self.bridge, scene, self)
        self.noises = NoiseController(self.bridge, scene, self, desktop.create_timer)
        self.pace = Pace(self.bridge, lambda: not dependencies.missing(), self.update)
        self.input = InputPanel(self.context, self.pace, self.run, self.runs.cancel)
        self.uncertainty = UncertaintyPanel(self.context)
        self.results = ResultsPanel(self.context, self.uncertainty.show_threed)
        self.export = ExportPanel(self.context)
        self.follow_up = FollowUpPanel(self.context)
        self.noise = NoisePanel(self.context, self._move_noise, self._run_series, self.noises.stop)
        self.steps = StepsPanel(self.context)
        self.numbers = NumbersPanel(self.context)
        self.import_bridge = import_bridge or WorkerBridge(desktop.create_timer)
        models = ModelPanel(self.context, self.import_bridge, self.input.refresh_models, self.run)
        self.setup = SetupPanel(self.context, dependencies, self.bridge.log, slicer_version, models)
        self.training_bridge = training_bridge or WorkerBridge(desktop.create_timer)
        require = self.setup.require_training
        self.train = TrainPanel(self.context, self.training_bridge, require, self._on_trained, self._report)
        self.fit_bridge = fit_bridge or WorkerBridge(desktop.create_timer)
        self.fit = FitPanel(self.context, self.fit_bridge, require, self._on_fitted, self._report)
        self.worklist = WorklistPanel(self.context, self)
        self._shown: Any = None
        self._scan: Any = None
        self.is_edited = False

    def connect(self) -> None:
        """Listen to the widgets."""
        parts = (
            self.input,
            self.results,
            self.export,
            self.uncertainty,
            self.noise,
            self.steps,
            self.numbers,
            self.follow_up,
            self.setup,
            self.train,
            self.fit,
            self.worklist,
        )
        for part in parts:
            part.connect()
        self.ui.phantomButton.connect("clicked(bool)", self._on_phantom)
        self.ui.averageButton.connect("clicked(bool)", self._on_average)
        for button in (self.ui.averageButton, self.ui.phantomButton):
            button.setVisible(
                False
            )  # offered where the sample cannot be had; no model finds anything true in a phantom
        self.ui.sampleButton.connect("clicked(bool)", self._on_sample)
        self.ui.progressBar.setVisible(False)
        self.ui.wordsLabel.setText(words_html(self.context.translate))
        self._show(None)

    def set_parameters(self, parameters: Any) -> None:
        """Work on another parameter node; None while a scene is closed."""
        self.context.parameters = parameters
        self._shown = None if parameters is None else parameters.segmentation
        self._scan = None if parameters is None else parameters.inputVolume
        self._show(self.context.published())
        self.update()

    def update(self, *_: Any) -> None:
        """Follow the parameter node. Called whenever it changes."""
        if self.context.parameters is None:
            return
        self._follow_scan()
        self.input.update()
        node = self.context.parameters.segmentation
        if node is not self._shown:
            self._shown = node
            self._switch(self.context.published())
        self.uncertainty.update()
        obstacle = texts.IS_RUNNING if self.runs.is_running else self.input.obstacle()
        self.noise.update(obstacle)

    def _follow_scan(self) -> None:
        """With another scan comes its own last result, or none: what was said about the earlier one goes."""
        scan, earlier = self.context.parameters.inputVolume, self._scan
        self._scan = scan
        if scan is earlier or earlier is None:
            return
        self.noise.clear()
        shown = self.context.published()
        if shown is not None and shown.chosen is scan:
            return
        results = [result for result in all_published(self.context.scene()) if result.chosen is scan]
        if shown is not None:
            hide_result(self.context.scene(), shown)
        self.context.parameters.segmentation = results[-1].segmentation if results else None

    def run(self) -> None:
        """Run on the chosen scan; asks to install what is missing."""
        try:
            self.setup.require()
        except SureError as error:
            self.input.end(str(error))
            self.context.desktop.error(str(error))
            return
        self.noises.stop()
        self.input.begin()
        self.runs.start(self.input.request())

    def edited(self, *_: Any) -> None:
        """A person changed the segmentation that is shown."""
        self.is_edited = True

    def follow_display(self, *_: Any) -> None:
        """A person shows or hides structures: their dark edges and painted surfaces follow."""
        published = self.context.published()
        if published is not None:
            follow_outlines(published.segmentation)
            self.uncertainty.update()

    def measure_again(self) -> None:
        """Bring tables and places up to date after editing."""
        published = self.context.published()
        if not self.is_edited or published is None:
            return
        self.is_edited = False
        try:
            if not needs_measuring(published):
                return
            remeasure(published)
        except SureError as error:
            self.input.show_status(str(error))
            return
        self.uncertainty.refresh_regions()
        self.numbers.show(published)
        self.follow_up.refresh()

    def forget_scene(self) -> None:
        """The scene is going: nothing that is under way may end in it."""
        self.runs.forget()
        self.noises.stop()
        self.train.controller.forget_scene()
        self.worklist.forget_scene()
        if self.input.is_running:
            self.input.end(self.context.translate(texts.READY))

    def close(self) -> None:
        """End the worker."""
        self.forget_scene()
        self.bridge.close()
        self.training_bridge.close()
        self.import_bridge.close()
        self.fit_bridge.close()

    def show_case(self, published: PublishedNodes, threshold: float) -> None:
        """For ``WorklistController``."""
        if self.context.parameters is not None:
            self.context.parameters.inputVolume = published.scan
            self._choose(published, threshold)
        self.context.desktop.fit_slices()

    def leave_case(self) -> None:
        """For ``WorklistController``."""
        if self.context.parameters is not None:
            self.context.parameters.segmentation = None
            self.context.parameters.inputVolume = None

    def show_progress(self, fraction: float, text: str, elapsed: float) -> None:
        """For ``RunController``."""
        self.input.show_progress(fraction, text, elapsed)

    def show_result(self, result: SegmentationResult, published: PublishedNodes, seconds: float) -> None:
        """For ``RunController``."""
        engine, device = (str(result.provenance.get(key, "")) for key in ("engine", "device"))
        done = self.context.translate(texts.DONE).format(engine=engine, device=device, seconds=seconds)
        self.input.end(done)
        self._choose(published, result.threshold)
        self.context.desktop.fit_slices()
        look_at(self.context.scene(), published, closely=self.context.parameters.region is not None)
        browser = frames_browser(published)
        if browser is not None:
            self.steps.refresh(browser.GetName())
            self.context.desktop.show_charts((curve_chart(published),))

    def show_failure(self, why: Failure) -> None:
        """For ``RunController``."""
        self.input.end(f"{why.text} {why.action}")
        self._report(why)
        self.update()

    def show_live(self, noise: Noise, row: LevelRow, published: PublishedNodes) -> None:
        """For ``NoiseController``."""
        self.noise.show_live(noise, row, self.input.request())
        if self.context.parameters.segmentation is not published.segmentation:
            self._choose(published, self.context.parameters.bandLow)
            self.noises.keep_other_regions()
        elif not noise.is_preview:
            self.results.show(published)
            self.numbers.show(published)
            self.uncertainty.renew()

    def show_step(self, number: int, count: int, level: float) -> None:
        """For ``NoiseController``."""
        self.noise.show_step(number, count, level)

    def show_series(self, rows: Sequence[LevelRow], nodes: SeriesNodes) -> None:
        """For ``NoiseController``."""
        self.noise.show_series(rows)
        self.steps.refresh(nodes.browser.GetName())
        self.context.desktop.show_charts(nodes.charts)

    def show_noise_failure(self, why: Failure) -> None:
        """For ``NoiseController``."""
        self.noise.show_failure(f"{why.text} {why.action}")
        self._report(why)

    def _report(self, why: Failure) -> None:
        if why.kind in ("cancelled", "superseded"):
            return
        self.setup.last_failure = f"{why.kind}: {why.text}\n{why.details}"
        self.context.desktop.error(f"{why.text}\n\n{why.action}", why.details)

    def _choose(self, published: PublishedNodes, threshold: float) -> None:
        """Show a result that has just come."""
        parameters = self.context.parameters
        self._shown = published.segmentation
        parameters.bandLow, parameters.bandHigh = threshold, 1.0
        parameters.map = "primary"
        parameters.segmentation = published.segmentation
        self._switch(published)
        self.update()

    def _switch(self, published: PublishedNodes | None) -> None:
        """Show another result than before."""
        if published is not None:
            show_all_regions(published)
            outline_only(self.context.scene(), published)
        self._show(published)

    def _show(self, published: PublishedNodes | None) -> None:
        self.is_edited = False
        self.results.show(published)
        self.export.show(published)
        self.uncertainty.show(published)
        self.numbers.show(published)
        self.follow_up.refresh()
        self.steps.refresh()

    def _move_noise(self, noise: Noise) -> None:
        self.noises.move(self._noise_request(), noise)

    def _run_series(self, noise: Noise) -> None:
        self.noises.run_series(self._noise_request(), noise.kind, noise.seed)

    def _noise_request(self) -> RunRequest:
        return self.input.request().on_one_frame(self.context.scene())

    def _on_trained(self, model: str) -> None:
        self.input.refresh_models()
        if self.context.parameters is not None:
            self.context.parameters.model = model

    def _on_fitted(self, model: str) -> None:
        """A model has changed: the list says its new version, and the next run reads it anew."""
        self.bridge.forget_model()
        self.input.follow_fit(model)

    def _on_phantom(self, _checked: bool = False) -> None:
        self._begin_with(load_phantom())

    def _on_sample(self, _checked: bool = False) -> None:
        try:
            self._begin_with(load_head(), HEAD_MODEL)
        except SampleError as error:
            self.input.show_status(self.context.translate(texts.NO_SAMPLE).format(reason=error))
            for button in (self.ui.averageButton, self.ui.phantomButton):
                button.setVisible(True)

    def _on_average(self, _checked: bool = False) -> None:
        self._begin_with(load_average(), HEAD_MODEL)

    def _begin_with(self, nodes: Sequence[Any], model: str = "") -> None:
        """A scan and its regions, the first one chosen, and the model that was made for such scans."""
        if model:
            self.context.parameters.model = model
        self.context.parameters.inputVolume = nodes[0]
        if len(nodes) > 1:
            self.context.parameters.region = nodes[1]
        self.context.desktop.fit_slices()


def resources_folder() -> Path:
    """The module's Resources, beside the library."""
    return Path(__file__).resolve().parents[2] / "Resources"
