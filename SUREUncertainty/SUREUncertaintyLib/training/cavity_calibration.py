"""What a package promises about an ejection fraction, fitted on tuning patients that the network never trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..analysis.ejection_fraction import CavityVolume, outline_factor, outline_spread
from .calibration import TuningPrediction
from .training_cases import TrainingCase

ED, ES = "ED", "ES"


def describe_cavity(
    value: int | None, cases: Sequence[TrainingCase], predictions: Sequence[TuningPrediction], probability: float | None
) -> dict[str, Any]:
    """The section ``cavity`` of a package, with the factor that the tuning patients ask for; nothing without a label.

    Args:
        value: the cavity's label.
        cases: tuning slices with their patient (``group``) and phase; those without phase fit nothing.
        predictions: one a case.
        probability: q of the volume range.
    """
    if value is None:
        return {}
    section: dict[str, Any] = {"value": value}
    patients = {} if probability is None else _patients(value, cases, predictions, probability)
    if patients:
        errors, spreads = zip(*patients.values(), strict=True)
        section["outline_factor"] = outline_factor(errors, spreads)
        section["fitted_on"] = f"{len(patients)} tuning patients that were not trained on"
    return {"cavity": section}


def _patients(
    value: int, cases: Sequence[TrainingCase], predictions: Sequence[TuningPrediction], probability: float
) -> dict[str, tuple[float, float]]:
    """Error and spread of the logarithm of ES / ED of each patient with both phases, over the slices that were read."""
    sums: dict[str, dict[str, list[tuple[int, int, int, int]]]] = {}
    for case, prediction in zip(cases, predictions, strict=True):
        if case.phase:
            phases = sums.setdefault(case.group, {})
            phases.setdefault(case.phase, []).append(_counts(value, prediction, probability))
    found = {}
    for group, phases in sums.items():
        if {ED, ES} <= set(phases):
            ed, es = (np.sum(phases[name], axis=0) for name in (ED, ES))
            if min(ed[0], es[0], ed[3], es[3], ed[1], es[1]) > 0:
                found[group] = _error_and_spread(ed, es)
    return found


def _counts(value: int, prediction: TuningPrediction, probability: float) -> tuple[int, int, int, int]:
    """Pixels found, P > q, P > 1 - q, and true."""
    cavity = prediction.probability[value]
    found = int((prediction.probability.argmax(0) == value).sum())
    sure, possible = (int((cavity > np.float32(limit)).sum()) for limit in (probability, 1 - probability))
    return found, min(sure, found), max(possible, found), int((prediction.label == value).sum())


def _error_and_spread(ed: np.ndarray[Any, Any], es: np.ndarray[Any, Any]) -> tuple[float, float]:
    frames = [CavityVolume(float(row[0]), float(row[1]), float(row[2])) for row in (ed, es)]
    error = math.log((es[0] / ed[0]) / (es[3] / ed[3]))
    return error, outline_spread(*frames)
