"""Stepping through a series of noise, or through the samples of a model that draws them."""

from __future__ import annotations

from ..mrml.steps import Steps, go_to_step, steps_in
from ..presenters import texts
from ..presenters.step_sentence import step_sentence
from .context import PanelContext, chosen, fill_combo, tell


class StepsPanel:
    """A list of what there is to step through, a slider, and a line that names the step."""

    def __init__(self, context: PanelContext) -> None:
        self._context, self.ui = context, context.ui
        self._steps: dict[str, Steps] = {}

    def connect(self) -> None:
        """Listen to the widgets."""
        self.ui.stepsSelector.connect("currentIndexChanged(int)", self._on_chosen)
        self.ui.stepSlider.connect("valueChanged(double)", self._on_step)

    def refresh(self, wanted: str = "") -> None:
        """Look what the scene has to step through; ``wanted`` is the name to choose."""
        scene = self._context.scene()
        self._steps = {} if scene is None else {steps.name: steps for steps in steps_in(scene)}
        fill_combo(self.ui.stepsSelector, {name: name for name in self._steps}, wanted)
        for widget, meaning in ((self.ui.stepsSelector, texts.STEPS_TOOLTIP), (self.ui.stepSlider, texts.STEP_TOOLTIP)):
            self._context.allow(widget, bool(self._steps), meaning, texts.NO_STEPS)
        self._show_range()

    def _current(self) -> Steps | None:
        return self._steps.get(chosen(self.ui.stepsSelector))

    def _show_range(self) -> None:
        steps = self._current()
        earlier = self.ui.stepSlider.blockSignals(True)
        self.ui.stepSlider.maximum = float(max(0, steps.count - 1)) if steps else 0.0
        self.ui.stepSlider.value = float(steps.number) if steps else 0.0
        self.ui.stepSlider.blockSignals(earlier)
        self._show_text()

    def _show_text(self) -> None:
        steps = self._current()
        if steps is None:
            tell(self.ui.stepLabel, self._context.translate(texts.NO_STEPS))
            return
        tell(self.ui.stepLabel, step_sentence(steps, steps.number, self._context.translate))

    def _on_chosen(self, _index: int) -> None:
        self._show_range()

    def _on_step(self, value: float) -> None:
        steps = self._current()
        if steps is not None and self._context.parameters is not None:
            go_to_step(self._context.scene(), steps, round(value), self._context.parameters.overlayOpacity)
            self._show_text()
