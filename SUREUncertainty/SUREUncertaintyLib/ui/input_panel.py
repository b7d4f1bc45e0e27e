"""Input and model: what is segmented, by which network, Run and Cancel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..core.errors import SureError
from ..core.translation import EMPTY, Text
from ..inference.native.choice import ONE
from ..mrml.boxes import add_roi_node, box_around, place_roi
from ..mrml.located_boxes import located_nodes
from ..mrml.scan_over_time import browser_of, frames_of_run
from ..mrml.volume_nodes import grid_from_node
from ..packages.catalogue import list_packages
from ..packages.metadata import PackageMetadata
from ..presenters import texts
from ..presenters.cautions import cautions
from ..presenters.double_click import DoubleClick
from ..presenters.further_images import further_names, further_obstacle
from ..presenters.model_description import box_size, follows_cavity, model_text
from ..presenters.pace import Pace
from ..presenters.passes import applied_passes, passes_entries
from ..presenters.remaining_time import remaining_text
from ..presenters.run_controller import RunRequest
from ..presenters.starting_model import StartingModel
from .context import PanelContext, choose, chosen, fill_combo, tell

STEPS = 1000


class InputPanel:
    """Args: ``pace`` knows how long runs take; ``run`` and ``cancel`` are called when the button is pressed."""

    def __init__(self, context: PanelContext, pace: Pace, run: Callable[[], None], cancel: Callable[[], None]) -> None:
        self._context, self.ui, self._pace = context, context.ui, pace
        self._run, self._cancel = run, cancel
        self._models: dict[str, PackageMetadata] = {}
        self._last_model = ""
        self._starting = StartingModel()
        self.is_running = False
        self.clicks = DoubleClick()

    def connect(self) -> None:
        """Fill the lists and listen to the widgets."""
        say = self._context.translate
        fill_combo(self.ui.engineSelector, {key: say(name) for key, name in texts.ENGINE_NAMES.items()}, "auto")
        self.refresh_models()
        self.ui.runButton.connect("clicked(bool)", self._on_button)
        self.ui.modelSelector.connect("currentIndexChanged(int)", self._on_model)
        self.ui.engineSelector.connect("currentIndexChanged(int)", self._on_engine)
        self.ui.passesSelector.connect("currentIndexChanged(int)", self._on_passes)
        self.ui.placeRegionButton.connect("clicked(bool)", self._on_place)
        self.ui.suggestRegionButton.connect("clicked(bool)", self._on_suggest)
        self.show_status(say(texts.READY))

    def refresh_models(self) -> None:
        """Look again which models there are."""
        self._models = {package.name: package.metadata for package in list_packages()}
        wanted = "" if self._context.parameters is None else self._context.parameters.model
        fill_combo(self.ui.modelSelector, {name: name for name in self._models}, wanted)

    def follow_fit(self, model: str) -> None:
        """A fit has changed a model: a map that it added is that of one pass."""
        self.refresh_models()
        parameters, metadata = self._context.parameters, self._models.get(model)
        if parameters is not None and parameters.model == model and metadata is not None and metadata.fitted:
            parameters.passes = ONE

    def update(self) -> None:
        """Follow the parameter node."""
        parameters = self._context.parameters
        if parameters is None:
            return
        self._follow_scan(parameters)
        self._follow_model(parameters)
        choose(self.ui.modelSelector, parameters.model)
        choose(self.ui.engineSelector, parameters.engine)
        self._show_passes(parameters)
        self._show_model(parameters)
        self._show_further()
        browser = browser_of(self._context.scene(), parameters.inputVolume)
        self.ui.allFramesCheckBox.setVisible(browser is not None)
        self._update_button(self.obstacle())

    def obstacle(self) -> Text:
        """Why Run is not possible now; empty when it is."""
        parameters = self._context.parameters
        if parameters is None or parameters.inputVolume is None:
            return texts.CHOOSE_SCAN
        if parameters.model not in self._models:
            return texts.CHOOSE_MODEL
        return further_obstacle(self._further_names(), self._further_nodes())

    def request(self) -> RunRequest:
        """What the widgets ask for."""
        p = self._context.parameters
        boxes = self._boxes(p)
        first = boxes[0] if boxes else None
        further = tuple(zip(self._further_names(), self._further_nodes(), strict=False))
        rest = tuple(boxes[1:])
        passes = self._passes(p)
        return RunRequest(p.inputVolume, first, p.model, p.engine, p.overlayOpacity, rest, further, p.allFrames, passes)

    def begin(self) -> None:
        """A run has begun."""
        self.is_running = True
        self.ui.progressBar.setRange(0, STEPS)
        self.ui.progressBar.setValue(0)
        self.ui.progressBar.setVisible(True)
        self.show_status(self._context.translate(texts.STARTING))
        self._update_button(EMPTY)

    def show_progress(self, fraction: float, text: str, elapsed: float) -> None:
        """Bar and status line."""
        self.ui.progressBar.setValue(round(fraction * STEPS))
        rest = remaining_text(fraction, elapsed, self._context.translate)
        self.show_status(f"{text} - {rest}" if rest else text)

    def end(self, text: str) -> None:
        """The run is over; ``text`` says how."""
        self.is_running = False
        self.ui.progressBar.setVisible(False)
        self.show_status(text)
        self._update_button(self.obstacle())

    def show_status(self, text: str) -> None:
        """The one status line; the text is in the user's language already."""
        tell(self.ui.statusLabel, text)

    def _follow_scan(self, parameters: Any) -> None:
        """Until a person chooses a model, it is one for the scan."""
        scene, scan = self._context.scene(), parameters.inputVolume
        model = self._starting.follow(parameters.model, self._models, scene, scan)
        if model != parameters.model:
            parameters.model = model
            parameters.allFrames = follows_cavity(self._models.get(model))

    def _follow_model(self, parameters: Any) -> None:
        """With another model comes its own choice of frames: all of them for one that follows a beating cavity."""
        earlier, self._last_model = self._last_model, parameters.model
        if earlier and earlier != parameters.model:
            parameters.allFrames = follows_cavity(self._models.get(parameters.model))

    def _boxes(self, parameters: Any) -> list[Any]:
        """The boxes that Run takes; without a choice those that a search placed in this scan."""
        if parameters.region is not None:
            return [parameters.region]
        scan = parameters.inputVolume
        return [] if scan is None else located_nodes(self._context.scene(), scan, parameters.model)

    def _show_model(self, parameters: Any) -> None:
        """What the model was made for, and what speaks against running it on this scan and region."""
        metadata = self._models.get(parameters.model)
        lines = [model_text(metadata, self._context.translate)]
        seconds = partial(self._pace.of, parameters.model, parameters.engine, self._passes(parameters))
        boxes, scan = self._boxes(parameters), parameters.inputVolume
        frames = frames_of_run(self._context.scene(), scan, parameters.allFrames)
        lines += [f"\u26a0 {text}" for text in cautions(scan, metadata, boxes, seconds, frames)]
        self.ui.modelInfoLabel.setText("\n".join(lines))

    def _passes(self, parameters: Any) -> str:
        return applied_passes(self._models.get(parameters.model), parameters.passes)

    def _show_passes(self, parameters: Any) -> None:
        """The choice of passes, where the model leaves one."""
        entries = passes_entries(self._models.get(parameters.model), self._context.translate)
        fill_combo(self.ui.passesSelector, entries, self._passes(parameters))
        for widget in (self.ui.labelPasses, self.ui.passesSelector):
            widget.setVisible(bool(entries))

    def _further_names(self) -> tuple[str, ...]:
        return further_names(self._models.get(self._context.parameters.model))

    def _further_nodes(self) -> tuple[Any, ...]:
        p = self._context.parameters
        return (p.furtherVolume1, p.furtherVolume2, p.furtherVolume3)

    def _show_further(self) -> None:
        """A selector for every further image that the model asks for, with its name."""
        names, ui = self._further_names(), self.ui
        rows = (
            (ui.furtherLabel1, ui.furtherSelector1),
            (ui.furtherLabel2, ui.furtherSelector2),
            (ui.furtherLabel3, ui.furtherSelector3),
        )
        for number, (label, selector) in enumerate(rows):
            label.setText(f"{names[number]}:" if number < len(names) else "")
            label.setVisible(number < len(names))
            selector.setVisible(number < len(names))

    def _update_button(self, obstacle: Text) -> None:
        say = self._context.translate
        self.ui.runButton.setText(say(texts.CANCEL if self.is_running else texts.RUN))
        self.ui.runButton.enabled = self.is_running or not obstacle
        self.ui.runButton.setToolTip(say(obstacle or texts.RUN_TOOLTIP))

    def _on_button(self, _checked: bool = False) -> None:
        if not self.is_running:
            self.clicks.is_second(None)
            self._run()
        elif not self.clicks.is_fresh():
            self.show_status(self._context.translate(texts.CANCELLING))
            self._cancel()

    def _on_model(self, _index: int) -> None:
        self._starting.keep()
        if self._context.parameters is not None:
            self._context.parameters.model = chosen(self.ui.modelSelector)

    def _on_engine(self, _index: int) -> None:
        if self._context.parameters is not None:
            self._context.parameters.engine = chosen(self.ui.engineSelector)

    def _on_passes(self, _index: int) -> None:
        if self._context.parameters is not None:
            self._context.parameters.passes = chosen(self.ui.passesSelector)

    def _on_place(self, _checked: bool = False) -> None:
        centre = self._context.desktop.crosshair()
        parameters = self._context.parameters
        if centre is None or parameters is None:
            self.show_status(self._context.translate(texts.NEEDS_CROSSHAIR))
            return
        scan = None if parameters.inputVolume is None else grid_from_node(parameters.inputVolume)
        roi = box_around(centre, box_size(self._models.get(parameters.model), scan), "Region")
        if parameters.region is None:
            parameters.region = add_roi_node(self._context.scene(), roi)
        else:
            place_roi(parameters.region, roi)

    def _on_suggest(self, _checked: bool = False) -> None:
        from ..presenters.suggested_regions import suggest_regions

        parameters = self._context.parameters
        if parameters is None or parameters.inputVolume is None:
            self.show_status(self._context.translate(texts.CHOOSE_SCAN))
            return
        try:
            nodes = suggest_regions(self._context.scene(), parameters.inputVolume, parameters.model)
        except SureError as error:
            self.show_status(str(error))
            return
        parameters.region = nodes[0]
