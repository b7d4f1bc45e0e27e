"""A predictor that keeps what it said about one scan, so that evaluation and robustness ask the network only once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..core.progress import IsCancelled, Progress, never, silent
from ..core.volume import Volume
from ..corruptions.corruption import Recipe
from ..corruptions.registry import make_recipe
from ..evaluation.predictor import NativePredictor, Prediction

CLEAN = "clean"
KEPT = "gaussian"
"""The noise of the evaluation protocol, which the robustness series asks for again."""


@dataclass(frozen=True)
class RememberingPredictor(NativePredictor):
    """As its base; call ``forget`` between scans."""

    memory: dict[str, Prediction] = field(default_factory=dict, compare=False, repr=False)

    def forget(self) -> None:
        """Another scan comes."""
        self.memory.clear()

    def predict(self, volume: Volume, progress: Progress = silent, is_cancelled: IsCancelled = never) -> Prediction:
        """The clean prediction, run once."""
        if CLEAN not in self.memory:
            self.memory[CLEAN] = super().predict(volume, progress, is_cancelled)
        return self.memory[CLEAN]

    def noisy(
        self, volume: Volume, levels: Sequence[float], seed: int, case_id: str, is_cancelled: IsCancelled = never
    ) -> Iterator[NDArray[np.float32]]:
        """Uncertainty at every level; whole predictions are kept."""
        recipes = [make_recipe(KEPT, level, seed, case_id) for level in levels]
        for prediction in self.corrupted(volume, recipes, is_cancelled):
            yield prediction.uncertainty

    def corrupted(
        self, volume: Volume, recipes: Sequence[Recipe], is_cancelled: IsCancelled = never
    ) -> Iterator[Prediction]:
        """The prediction of every recipe, Gaussian noise run once."""
        for recipe in recipes:
            key = json.dumps(recipe.to_json(), sort_keys=True)
            if key in self.memory:
                yield self.memory[key]
                continue
            (prediction,) = super().corrupted(volume, [recipe], is_cancelled)
            if recipe.corruption == KEPT:
                self.memory[key] = prediction
            yield prediction
