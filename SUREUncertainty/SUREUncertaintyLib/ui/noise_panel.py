"""Noise: a slider that damages the scan and re-segments it live, and a series over its whole range."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..analysis.noise_series import KINDS, LevelRow
from ..core.translation import Text
from ..corruptions.registry import CORRUPTIONS
from ..presenters import texts
from ..presenters.noise_controller import Noise
from ..presenters.result_sentences import live_sentence, series_sentence
from ..presenters.run_controller import RunRequest
from .context import PanelContext, choose, chosen, fill_combo, tell


class NoisePanel:
    """Args: ``move`` gets every position of the live slider, ``run_series`` starts a series, ``stop`` ends either."""

    def __init__(
        self,
        context: PanelContext,
        move: Callable[[Noise], None],
        run_series: Callable[[Noise], None],
        stop: Callable[[], None],
    ) -> None:
        self._context, self.ui = context, context.ui
        self._move, self._run_series, self._stop = move, run_series, stop

    def connect(self) -> None:
        """Fill the list and listen to the widgets."""
        say = self._context.translate
        fill_combo(self.ui.noiseSelector, {name: say(CORRUPTIONS[name].title) for name in KINDS}, KINDS[0])
        self.ui.noiseSelector.connect("currentIndexChanged(int)", self._on_kind)
        self.ui.strengthSlider.connect("valueChanged(double)", self._on_moved)
        self.ui.seedSpinBox.connect("valueChanged(int)", self._on_moved)
        self.ui.liveCheckBox.connect("toggled(bool)", self._on_live)
        self.ui.seriesButton.connect("clicked(bool)", self._on_series)

    def update(self, obstacle: Text) -> None:
        """Follow the parameter node; ``obstacle`` says why noise cannot be tried now, empty when it can."""
        if self._context.parameters is not None:
            choose(self.ui.noiseSelector, self._context.parameters.noiseKind)
        self._context.allow(self.ui.liveCheckBox, not obstacle, texts.LIVE_TOOLTIP, obstacle)
        self._context.allow(self.ui.seriesButton, not obstacle, texts.SERIES_TOOLTIP, obstacle)

    def noise(self) -> Noise:
        """What the widgets say now."""
        return Noise(chosen(self.ui.noiseSelector), float(self.ui.strengthSlider.value), int(self.ui.seedSpinBox.value))

    def show_live(self, noise: Noise, row: LevelRow, request: RunRequest) -> None:
        """A sentence about the position that is shown, and about which region it is."""
        tell(self.ui.noiseLabel, live_sentence(noise, row, request, self._context.translate))

    def clear(self) -> None:
        """Say nothing: the scan is another one."""
        tell(self.ui.noiseLabel, "")

    def show_step(self, number: int, count: int, level: float) -> None:
        """How far the series is."""
        text = self._context.translate(texts.SERIES_STEP).format(number=number, count=count, level=level)
        tell(self.ui.noiseLabel, text)

    def show_series(self, rows: Sequence[LevelRow]) -> None:
        """What the series says."""
        say = self._context.translate
        tell(self.ui.noiseLabel, series_sentence(rows, say))

    def show_failure(self, text: str) -> None:
        """Why there is no result; the slider rests."""
        self.ui.liveCheckBox.setChecked(False)
        tell(self.ui.noiseLabel, text)

    def _on_kind(self, _index: int) -> None:
        if self._context.parameters is not None:
            self._context.parameters.noiseKind = chosen(self.ui.noiseSelector)
        self._on_moved()

    def _on_moved(self, _value: float = 0.0) -> None:
        if self.ui.liveCheckBox.checked:
            self._move(self.noise())

    def _on_live(self, live: bool) -> None:
        if live:
            self._move(self.noise())
        else:
            self._stop()

    def _on_series(self, _checked: bool = False) -> None:
        self.ui.liveCheckBox.setChecked(False)
        self._run_series(self.noise())
