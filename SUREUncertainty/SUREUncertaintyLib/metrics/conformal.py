"""Intervals that hold for a new patient, from the errors on patients that nothing was fitted on.

Scans of one patient are not exchangeable with those of another one, patients are: every patient has the same weight,
shared among its scans, and the new patient has a weight of its own at infinity (hierarchical conformal prediction, Lee,
Barber and Willett, arXiv:2306.06342).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def patient_weights(groups: Sequence[Hashable]) -> NDArray[np.float64]:
    """Weight of every scan: 1 over the scans of its patient, over the patients; they sum to 1."""
    counts = Counter(groups)
    return np.array([1.0 / (counts[group] * len(counts)) for group in groups])


def conformal_quantile(scores: ArrayLike, groups: Sequence[Hashable], coverage: float) -> float:
    """The smallest score that holds ``coverage`` of a new patient's scans; infinite with too few patients.

    Args:
        scores: errors (n), larger is worse, each made without the patient that it is about.
        groups: patient of every scan.
        coverage: in 0..1; fewer than ``coverage / (1 - coverage)`` patients can promise nothing.
    """
    values = np.asarray(scores, np.float64)
    patients = len(set(groups))
    weights = patient_weights(groups) * patients / (patients + 1)
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    place = int(np.searchsorted(reached, coverage - 1e-12))
    return float(values[order][place]) if place < values.size else float("inf")


def patient_folds(groups: Sequence[Hashable], folds: int, seed: int = 0) -> NDArray[np.int64]:
    """Fold (0 .. folds - 1) of every scan; those of a patient share one, and folds hold about as many patients each."""
    patients = list(dict.fromkeys(groups))
    order = np.random.default_rng(seed).permutation(len(patients))
    fold_of = {patients[number]: place % folds for place, number in enumerate(order)}
    return np.array([fold_of[group] for group in groups], np.int64)
