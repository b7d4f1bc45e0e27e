"""The stability of a model's results on a few labelled scans."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..analysis.quality.forecast import DICE
from ..analysis.quality.run_measures import WHOLE
from ..analysis.quality.stability import StabilityModel, stability_of
from ..core.errors import InputError
from .labelled_run import INTACT, LabelledRun


def fit_stability(
    runs: Sequence[LabelledRun], digest: str, estimator: str, passes: int, record: Mapping[str, Any] | None = None
) -> StabilityModel:
    """What the stability and the Dice were on intact scans; see ``fit.fit_quality`` for the arguments.

    Raises:
        InputError: no scan with a result of every structure.
    """
    known = {run.case: run for run in runs if run.kind == INTACT and math.isfinite(stability_of(run.measures))}
    if not known:
        raise InputError(
            "In none of the scans was every structure found, in the scan itself and in mildly disturbed copies of it, "
            "so nothing can be told about the stability of results. Check that the model fits the scans."
        )
    stability = [stability_of(run.measures) for run in known.values()]
    dice = [run.scores[DICE][WHOLE] for run in known.values()]
    return StabilityModel(
        digest=digest,
        estimator=estimator,
        passes=passes,
        patients=len({run.group for run in known.values()}),
        cases=len(known),
        low=min(stability),
        high=max(stability),
        dice_low=min(dice),
        dice_high=max(dice),
        record=dict(record or {}),
    )
