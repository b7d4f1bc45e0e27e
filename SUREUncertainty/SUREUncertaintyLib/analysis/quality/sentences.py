"""What forecasts of quality say to people."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.rounding import decimals
from ...core.wording import as_sentence
from .forecast import PredictedQuality
from .quality_model import PredictedScore

WHOLE_SCAN = "scan"


def score_text(score: PredictedScore) -> str:
    """A score with its interval, ``0.87 (0.81 to 0.92)``."""
    return f"{decimals(score.value)} ({decimals(score.low)} to {decimals(score.high)})"


def forecast_sentence(quality: PredictedQuality) -> str:
    """The first line about a result."""
    if not quality.dice.known:
        return f"{_place(quality)}{as_sentence(quality.reason)}"
    text = (
        f"{_place(quality)}Predicted Dice {score_text(quality.dice)}; "
        f"at least {decimals(quality.dice.at_least)} in 9 of 10 patients."
    )
    if not quality.surface_dice.known:
        return text
    return (
        f"{text} Predicted share of the surface within {quality.tolerance_mm:g} mm: {score_text(quality.surface_dice)}."
    )


def poor_sentence(quality: PredictedQuality) -> str:
    """Why a result must not be used."""
    return (
        f"{_place(quality)}The predicted Dice is {score_text(quality.dice)}, below the limit for use of "
        f"{decimals(quality.do_not_use_below)}."
    )


def unsure_sentence(quality: PredictedQuality) -> str:
    """Why a result needs a check."""
    return (
        f"{_place(quality)}The predicted Dice is {score_text(quality.dice)}; that it is at least "
        f"{decimals(quality.check_below)} cannot be promised in 9 of 10 patients."
    )


def silent_sentences(silent: Sequence[PredictedQuality]) -> list[str]:
    """Why there are no numbers: a sentence a reason, with all the regions that it holds for."""
    regions: dict[str, list[str]] = {}
    for one in silent:
        regions.setdefault(one.reason, []).append(one.region)
    found = []
    for reason, names in regions.items():
        place = "" if names == [WHOLE_SCAN] else f"{', '.join(names)}: "
        found.append(f"{place}{as_sentence(reason)}")
    return found


def _place(quality: PredictedQuality) -> str:
    return "" if quality.region == WHOLE_SCAN else f"{quality.region}: "
