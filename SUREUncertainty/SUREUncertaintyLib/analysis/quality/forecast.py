"""The forecast of a result: how well it would agree with a reader, before anybody has outlined the scan."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..rows import StructureRow
from .likeness import describe, unlike
from .quality_model import PredictedScore, QualityModel
from .run_measures import WHOLE, Measures, RunMeasures

DICE, SURFACE_DICE = "dice", "surface_dice"
NO_SCORE = PredictedScore()
OUTSIDE = "no forecast: the scan is outside of what the model knows"
MISSING = "no forecast: {names} was not found"
UNLIKE = "no forecast: the scan is unlike those that it was fitted on ({words})"


@dataclass(frozen=True)
class PredictedQuality:
    """The forecast for all structures of one region together.

    Attributes:
        region: name of the region, ``"scan"`` for the whole.
        dice: mean Dice of its structures. surface_dice: share of the surfaces within ``tolerance_mm`` of each other.
        patients: that it was fitted on, none of which the network was trained on.
        check_below, do_not_use_below: limits of Dice for the verdict.
        reason: why there is no forecast; empty where there is one.
        stability: see ``stability.stability_of``; NaN where the model makes forecasts.
    """

    region: str
    dice: PredictedScore = NO_SCORE
    surface_dice: PredictedScore = NO_SCORE
    tolerance_mm: float = math.nan
    patients: int = 0
    check_below: float = math.nan
    do_not_use_below: float = math.nan
    reason: str = ""
    stability: float = math.nan


def forecast_quality(model: QualityModel, run: RunMeasures, outside: bool) -> PredictedQuality:
    """The forecast for a region as a whole; ``outside``: its warnings say that it is none that the model knows."""
    quality = PredictedQuality(
        run.region,
        tolerance_mm=model.tolerance_mm,
        patients=model.patients,
        check_below=model.check_below,
        do_not_use_below=model.do_not_use_below,
        reason=_why_not(model, run, outside),
    )
    if quality.reason or run.whole is None:
        return quality
    scores = {score: fits[WHOLE].predict(run.whole) for score, fits in model.scores.items()}
    return replace(quality, dice=scores[DICE], surface_dice=scores.get(SURFACE_DICE, NO_SCORE))


def with_forecast(row: StructureRow, model: QualityModel, name: str, measures: Measures) -> StructureRow:
    """The row of a structure with its own forecast; ``name``: as the package has it."""
    dice = model.scores[DICE][name].predict(measures)
    surface = model.scores[SURFACE_DICE][name].predict(measures) if SURFACE_DICE in model.scores else NO_SCORE
    return replace(
        row,
        predicted_dice=dice.value,
        predicted_dice_low=dice.low,
        predicted_dice_high=dice.high,
        predicted_dice_at_least=dice.at_least,
        predicted_surface_dice=surface.value,
        predicted_surface_dice_low=surface.low,
        predicted_surface_dice_high=surface.high,
    )


def _why_not(model: QualityModel, run: RunMeasures, outside: bool) -> str:
    """Why nothing is foretold; empty where it can be."""
    if outside:
        return OUTSIDE
    if run.missing:
        return MISSING.format(names=", ".join(run.missing))
    words = unlike(describe(run), model.ranges)
    return UNLIKE.format(words=", ".join(words)) if words else ""
