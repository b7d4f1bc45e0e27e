"""How far a result holds when its scan is mildly disturbed: what is told where too few labels allow no forecast.

A package keeps what the stability was on the scans that were labelled, and the Dice there, so that a reader has
something to hold a number against; nothing is promised for a new scan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.dataclass_json import from_json, to_json
from ...core.rounding import decimals
from .forecast import MISSING, OUTSIDE, PredictedQuality
from .quality_model import FEWEST
from .run_measures import RunMeasures

SCHEMA = "sure-stability/1"
UNLIKE = ("unlike_noisy", "unlike_blurred")
"""1 - Dice between the result and that of a noisy, and of a blurred copy."""
REASON = (
    "no forecast of Dice: {patients} labelled patients are too few ({fewest} are needed). Stability {value}: the Dice "
    "between this outline and those of mildly disturbed copies of the scan. On the labelled scans it was {low} to "
    "{high}, and their Dice with the label {dice_low} to {dice_high}"
)


@dataclass(frozen=True)
class StabilityModel:
    """What a package knows of the stability of its results.

    Attributes:
        digest, estimator, passes: what it holds for, see ``QualityModel``.
        patients, cases: that were labelled.
        low, high: stability of their intact scans. dice_low, dice_high: mean Dice of the structures there.
        record: how it was measured.
    """

    digest: str
    estimator: str
    passes: int
    patients: int
    cases: int
    low: float
    high: float
    dice_low: float
    dice_high: float
    record: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For ``metadata.json``."""
        return {"schema": SCHEMA, **to_json(self)}


def read_stability_model(document: Mapping[str, Any] | None) -> StabilityModel | None:
    """The model in a package's metadata; None without one, or with one that this version does not understand."""
    if document is None or document.get("schema") != SCHEMA:
        return None
    try:
        return from_json(StabilityModel, document)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def stability_of(run: RunMeasures) -> float:
    """Mean Dice over structures and both copies; NaN where a structure or the copies are missing."""
    if run.whole is None:
        return math.nan
    return 1.0 - sum(run.whole[name] for name in UNLIKE) / len(UNLIKE)


def tell_stability(model: StabilityModel, run: RunMeasures, outside: bool) -> PredictedQuality:
    """The quality of a region without a forecast: its stability, or why there is none."""
    value = math.nan if outside else stability_of(run)
    if not math.isfinite(value):
        reason = OUTSIDE if outside else MISSING.format(names=", ".join(run.missing) or "the answer to a copy")
        return PredictedQuality(run.region, patients=model.patients, reason=reason)
    numbers = {"value": value, "low": model.low, "high": model.high}
    numbers |= {"dice_low": model.dice_low, "dice_high": model.dice_high}
    texts = {name: decimals(number) for name, number in numbers.items()}
    reason = REASON.format(patients=model.patients, fewest=FEWEST, **texts)
    return PredictedQuality(run.region, patients=model.patients, reason=reason, stability=value)
