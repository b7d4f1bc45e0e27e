"""Scores of one method on slices that several readers marked, kept by nodule so that methods can be paired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from SUREUncertaintyLib.evaluation.evaluate_raters import SLICE_METRICS, by_nodule, nodule_means, score_slice
from SUREUncertaintyLib.evaluation.raters import RaterArrays, RaterSlice
from SUREUncertaintyLib.evaluation.slice_predictor import SlicePredictor

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
