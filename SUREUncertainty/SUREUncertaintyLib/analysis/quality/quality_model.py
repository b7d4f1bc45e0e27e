"""A fitted forecast of quality as a package carries it: numbers alone, read with numpy alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.dataclass_json import from_json, to_json
from ...metrics.monotone import RisingCurve, RisingSum
from .run_measures import Measures

SCHEMA = "sure-quality/1"
FEWEST = 10
"""Patients; with fewer no interval can be promised, so no Dice is foretold."""
COVERAGE = 0.9
NARROWEST = 0.005
"""An error of a score below this is taken as this: a spread of nothing would promise too much."""
CHECK_BELOW, DO_NOT_USE_BELOW = 0.75, 0.6
"""Dice: what counts as a failure, and what as poor (docs/warnings.md), where a package names no other limits."""


@dataclass(frozen=True)
class PredictedScore:
    """A score in 0..1 with its interval (90 %), and what it reaches at least in 9 of 10 patients; NaN: none."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    at_least: float = math.nan

    @property
    def known(self) -> bool:
        """Whether there is a forecast."""
        return math.isfinite(self.value)


@dataclass(frozen=True)
class ScoreFit:
    """How one score of one structure is foretold.

    Attributes:
        loss: the square root of 1 - score from the measures.
        spread: the size of an error, from the foretold loss.
        reach: conformal quantile of |error| / spread for the interval; reach_below: of the one-sided bound.
        errors: mean absolute error on patients set aside in turn, intact and damaged copies.
    """

    loss: RisingSum
    spread: RisingCurve
    reach: float
    reach_below: float
    errors: dict[str, float] = field(default_factory=dict)

    def predict(self, measures: Measures) -> PredictedScore:
        """The score for the measures of a run."""
        loss = float(foretold_loss(self.loss, {name: np.float64(value) for name, value in measures.items()}))
        spread = max(float(self.spread.at(loss)), NARROWEST)
        value = 1.0 - loss
        low, high, at_least = (
            float(np.clip(value + step * spread, 0.0, 1.0)) for step in (-self.reach, self.reach, -self.reach_below)
        )
        return PredictedScore(value, low, high, at_least)


def foretold_loss(model: RisingSum, measures: Mapping[str, Any]) -> Any:
    """1 - score, in 0..1: the model's sum squared, as it is fitted to the root."""
    return np.clip(np.square(model.at(measures)), 0.0, 1.0)


@dataclass(frozen=True)
class QualityModel:
    """Everything that a package knows about forecasts.

    Attributes:
        digest: of the network and its preprocessing (``packages.package_fingerprint.network_digest``).
        estimator, passes: how the network was run.
        patients, cases: that it was fitted on.
        scores: ``"dice"`` and, where sizes in mm are known, ``"surface_dice"``: fits by structure, ``"whole"`` too.
        tolerance_mm: of the surface Dice; NaN without it.
        copies: whether a run also asks for two mildly disturbed copies of each region.
        ranges: (low, high) of what describes a scan, over all copies that it was fitted on; beyond it is silent.
        check_below, do_not_use_below: limits of Dice for the verdict.
        record: how it was fitted, for people and machines.
    """

    digest: str
    estimator: str
    passes: int
    patients: int
    cases: int
    scores: dict[str, dict[str, ScoreFit]]
    tolerance_mm: float
    ranges: dict[str, tuple[float, float]]
    copies: bool = False
    check_below: float = CHECK_BELOW
    do_not_use_below: float = DO_NOT_USE_BELOW
    record: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For ``metadata.json``."""
        return {"schema": SCHEMA, **to_json(self)}


def read_quality_model(document: Mapping[str, Any] | None) -> QualityModel | None:
    """The model in a package's metadata; None without one, or with one that this version does not understand."""
    if document is None or document.get("schema") != SCHEMA:
        return None
    try:
        return from_json(QualityModel, document)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
