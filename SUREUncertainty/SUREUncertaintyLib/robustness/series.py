"""One corruption of one case at rising strength, with one noise field for all levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..core.volume import Volume
from ..corruptions.corruption import Recipe
from ..corruptions.registry import make_recipe
from ..corruptions.strengths import STRENGTH
from ..evaluation.cases import Case
from ..evaluation.predictor import NativePredictor
from ..evaluation.progress_file import ProgressFile
from ..evaluation.reference_label import read_reference
from ..files.reading import read_volume
from ..metrics.boundary import NO_BOUNDARY
from ..metrics.noise_relation import level_statistics
from .comparison import CleanReference, make_yardstick
from .finished_cases import Store
from .results import RELATION, LevelResult, SeriesResult
from .strengths import DEFAULT_LEVELS, FEWEST

TOO_FEW_LEVELS = f"fewer than {FEWEST} levels"
Measured = tuple[LevelResult, NDArray[np.float32]]


@dataclass(frozen=True)
class SeriesOptions:
    """What a series runs.

    Attributes:
        levels: strengths, rising, checked by ``check_levels``.
        unit: what they count in, see ``corruptions.strengths``.
        seed: base seed of the noise fields and of what is drawn.
    """

    levels: tuple[float, ...] = DEFAULT_LEVELS
    unit: str = STRENGTH
    seed: int = 0


class OpenCase:
    """A case in work: scan, label and clean result are made when the first level needs them, and then kept."""

    def __init__(self, case: Case, predictor: NativePredictor, store: Store, is_cancelled: IsCancelled) -> None:
        self.case, self.store, self.is_cancelled = case, store, is_cancelled
        self.key = ProgressFile.key(case)
        self._predictor = predictor

    @cached_property
    def image(self) -> Volume:
        """The scan. Raises ``InputError``."""
        return read_volume(self.case.image)

    @cached_property
    def predictor(self) -> NativePredictor:
        """For the part of the scan that the case names. Raises ``InputError``."""
        others = {name: read_volume(file) for name, file in self.case.channels}
        return self._predictor.within(self.case.region, self.case.pose, others)

    @cached_property
    def start(self) -> tuple[CleanReference, Measured]:
        """The clean result with the label, and the clean result measured like a level. Raises ``InputError``."""
        part = self.predictor.judged(self.image)
        reference = read_reference(self.case, self.image, self.predictor.classes, part)
        clean = self.predictor.predict(self.image, silent, self.is_cancelled)
        yardstick = make_yardstick(clean, reference, self.predictor.classes, self.image.grid.spacing_kji)
        return yardstick, (yardstick.measure(clean, 0.0, {}), yardstick.near(clean))

    def measured(self, recipe: Recipe) -> Measured:
        """One level, from the store where it is there.

        Raises:
            InputError: the scan, the label or the corruption cannot be used. Cancelled.
        """
        earlier = self.store.load_level(self.key, recipe.to_json())
        if earlier is not None:
            return earlier
        result = self._measure(recipe)
        self.store.save_level(self.key, recipe.to_json(), *result)
        return result

    def _measure(self, recipe: Recipe) -> Measured:
        physical = dict(recipe.physical)
        yardstick, (clean, near) = self.start
        if recipe.strength == 0.0:
            return LevelResult(0.0, physical, clean.values, clean.undefined), near
        (prediction,) = self.predictor.corrupted(self.image, [recipe], self.is_cancelled)
        return yardstick.measure(prediction, recipe.strength, physical), yardstick.near(prediction)


def run_series(opened: OpenCase, corruption: str, options: SeriesOptions, progress: Progress = silent) -> SeriesResult:
    """Run every level of one corruption.

    Level 0 is the clean result itself; it is always compared with, and counts in the relation only where it is asked
    for. ``NotApplicable`` and other ``InputError`` come from the scan, label or corruption.
    """
    plan = {**asdict(options), "corruption": corruption}
    earlier = opened.store.load_series(opened.key, plan)
    if earlier is not None:
        return earlier
    recipes = _recipes(opened, corruption, options)
    result = _measure_series(opened, corruption, options, recipes, progress)
    opened.store.save_series(opened.key, plan, result, [recipe.to_json() for recipe in recipes])
    return result


def _measure_series(
    opened: OpenCase, corruption: str, options: SeriesOptions, recipes: Sequence[Recipe], progress: Progress
) -> SeriesResult:
    measured = list(_levels(opened, recipes, opened.is_cancelled, progress))
    clean, levels = measured[0][0], [row for row, _ in measured[1:]]
    relation, undefined = relate(options.levels, [near for _, near in measured[1:]])
    return SeriesResult(
        id=opened.case.id,
        group=opened.case.group,
        split=opened.case.split,
        corruption=corruption,
        clean=clean,
        levels=tuple(levels),
        relation=relation,
        undefined=undefined,
        boundary=_boundary(opened, clean),
        recipe=recipes[-1].to_json(),
    )


def relate(levels: Sequence[float], near: Sequence[NDArray[np.float32]]) -> tuple[dict[str, float], dict[str, str]]:
    """UR, UR* and tau of uncertainty near the boundary over levels, and why some are NaN (needs three levels)."""
    if len(levels) < FEWEST:
        return dict.fromkeys(RELATION, float("nan")), dict.fromkeys(RELATION, TOO_FEW_LEVELS)
    if not near[0].size:
        return dict.fromkeys(RELATION, float("nan")), dict.fromkeys(RELATION, NO_BOUNDARY)
    found = level_statistics(levels, np.stack(near))
    reasons = {f"{name}_sigma": text for name, text in found.undefined.items()}
    return dict(zip(RELATION, (found.ur, found.ur_star, found.tau), strict=True)), reasons


def _recipes(opened: OpenCase, corruption: str, options: SeriesOptions) -> list[Recipe]:
    """Level 0 first, then the levels that were asked for."""
    spacing = opened.image.grid.spacing_kji
    strengths = (0.0, *options.levels)
    return [make_recipe(corruption, s, options.seed, opened.case.id, spacing, options.unit) for s in strengths]


def _levels(
    opened: OpenCase, recipes: Sequence[Recipe], is_cancelled: IsCancelled = never, progress: Progress = silent
) -> Iterator[Measured]:
    for number, recipe in enumerate(recipes):
        raise_if_cancelled(is_cancelled)
        progress(number / len(recipes), f"{recipe.corruption} at {recipe.strength:g}")
        yield opened.measured(recipe)


def _boundary(opened: OpenCase, clean: LevelResult) -> str:
    if "near_uncertainty" in clean.undefined:
        return ""
    return "prediction" if opened.case.label is None else "label"
