"""Scores of one method on slices that several readers marked, kept by nodule so that methods can be paired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from SUREUncertaintyLib.metrics.multirater_evaluation import SLICE_METRICS
from SUREUncertaintyLib.metrics.multirater_evaluation import by_nodule
from SUREUncertaintyLib.metrics.multirater_evaluation import nodule_means
from SUREUncertaintyLib.metrics.multirater_evaluation import score_slice
from SUREUncertaintyLib.metrics.raters import RaterArrays
from SUREUncertaintyLib.metrics.raters import RaterSlice
from SUREUncertaintyLib.metrics.slice_predictor import SlicePredictor

SAMPLES = 16
METRICS = tuple(name for name in SLICE_METRICS if name != "area_coverage")
"""Sizes would need a hundred samples of every method."""


def score_slices(arrays: RaterArrays, entries: Sequence[RaterSlice], predictor: SlicePredictor) -> dict[str, Any]:
    """``patients`` of the nodules, and ``values`` of every metric: mean over a nodule's slices, None if undefined."""
    lesions = {lesion: number for number, lesion in enumerate(dict.fromkeys(entry.lesion for entry in entries))}
    scored = [
        score_slice(
            entry, predictor.predict(arrays.images[entry.row], (lesions[entry.lesion],)), arrays.masks(entry.row)
        )
        for entry in entries
    ]
    nodules = by_nodule(scored)
    values = {name: [_plain(x) for x in means] for name, means in nodule_means(nodules, METRICS).items()}
    return {"slices": len(scored), "patients": [patient for patient, _ in nodules], "values": values}


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 6)
