"""Fits the forecast of quality on labelled runs, with intervals that hold for patients that nothing was fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.quality.likeness import describe, fit_ranges
from ..analysis.quality.quality_model import (
    COVERAGE,
    FEWEST,
    NARROWEST,
    QualityModel,
    ScoreFit,
    foretold_loss,
)
from ..analysis.quality.run_measures import WHOLE, Measures
from ..core.errors import InputError
from ..metrics.conformal import conformal_quantile, patient_folds, patient_weights
from ..metrics.monotone import RisingCurve, fit_rising_curve, fit_rising_sum, table_of
from .labelled_run import INTACT, LabelledRun

FOLDS = 10
INTACT_SHARE = 0.5
"""Of the weight of all copies: most scans of a user are intact, and the damaged ones show what can go wrong."""
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Sample:
    """Everything about one score of one structure, one entry a run."""

    table: dict[str, Array]
    loss: Array
    groups: list[str]
    intact: NDArray[np.bool_]

    @property
    def weights(self) -> Array:
        """Patients alike within intact and within damaged copies."""
        weights = np.empty(self.loss.size)
        for part, share in ((self.intact, INTACT_SHARE), (~self.intact, 1.0 - INTACT_SHARE)):
            if part.any():
                own = [group for group, chosen in zip(self.groups, part, strict=True) if chosen]
                weights[part] = share * patient_weights(own)
        return weights

    def columns(self, chosen: NDArray[np.bool_]) -> dict[str, Array]:
        """The measures of some runs."""
        return {name: values[chosen] for name, values in self.table.items()}


def fit_quality(
    runs: Sequence[LabelledRun],
    digest: str,
    estimator: str,
    passes: int,
    mild_copies: bool = False,
    record: Mapping[str, Any] | None = None,
) -> QualityModel:
    """Fit a forecast for every structure and for the whole.

    Args:
        runs: of scans that the network was neither trained nor selected on, intact and damaged.
        digest, estimator, passes, mild_copies: what the forecast holds for, see ``QualityModel``.

    Raises:
        InputError: fewer than ten patients have a usable run.
    """
    usable = [run for run in runs if run.measures.whole is not None]
    patients = sorted({run.group for run in usable})
    if len(patients) < FEWEST:
        raise InputError(
            f"A forecast of the Dice needs scans of {FEWEST} patients or more with labels, and {len(patients)} are "
            "there. With fewer no interval can be promised; what can be told is how stable results are: run again "
            "with --mild-copies."
        )
    scores = sorted({score for run in usable for score in run.scores})
    names = [*usable[0].measures.structures, WHOLE]
    fits = {score: {name: _fit_score(_sample(usable, score, name)) for name in names} for score in scores}
    return QualityModel(
        digest=digest,
        estimator=estimator,
        passes=passes,
        patients=len(patients),
        cases=len({run.case for run in usable}),
        scores=fits,
        tolerance_mm=usable[0].tolerance_mm,
        ranges=fit_ranges([describe(run.measures) for run in usable]),
        copies=mild_copies,
        record=dict(record or {}),
    )


def _sample(runs: Sequence[LabelledRun], score: str, name: str) -> _Sample:
    rows = [_measures(run, name) for run in runs]
    return _Sample(
        table=table_of(rows),
        loss=np.array([1.0 - run.scores[score][name] for run in runs]),
        groups=[run.group for run in runs],
        intact=np.array([run.kind == INTACT for run in runs]),
    )


def _measures(run: LabelledRun, name: str) -> Measures:
    whole = run.measures.whole
    assert whole is not None  # such runs were left out
    return whole if name == WHOLE else run.measures.structures[name]


def _fit_score(sample: _Sample) -> ScoreFit:
    """The model on all patients; its errors and spread from models that did not see the patient (cross-conformal)."""
    folds = patient_folds(sample.groups, min(FOLDS, len(set(sample.groups))))
    foretold = np.empty(sample.loss.size)
    for fold in np.unique(folds):
        own = folds == fold
        model = fit_rising_sum(sample.columns(~own), np.sqrt(sample.loss[~own]), sample.weights[~own])
        foretold[own] = foretold_loss(model, sample.columns(own))
    errors = sample.loss - foretold
    relative = np.empty(errors.size)
    for fold in np.unique(folds):
        own = folds == fold
        spread = _spread(foretold[~own], errors[~own], sample.weights[~own])
        relative[own] = errors[own] / np.maximum(spread.at(foretold[own]), NARROWEST)
    return ScoreFit(
        loss=fit_rising_sum(sample.table, np.sqrt(sample.loss), sample.weights),
        spread=_spread(foretold, errors, sample.weights),
        reach=conformal_quantile(np.abs(relative), sample.groups, COVERAGE),
        reach_below=conformal_quantile(relative, sample.groups, COVERAGE),
        errors={
            name: float(np.average(np.abs(errors[part]), weights=sample.weights[part]))
            for name, part in (("intact", sample.intact), ("damaged", ~sample.intact))
            if part.any()
        },
    )


def _spread(foretold: Array, errors: Array, weights: Array) -> RisingCurve:
    """The mean absolute error, rising with the foretold loss."""
    return fit_rising_curve(foretold, np.abs(errors), weights)
