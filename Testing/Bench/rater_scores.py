"""Scores of one method on slices that several readers marked, kept by nodule so that methods can be paired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from SUREUncertaintyLib.metrics.multirater_evaluation import SliceScores
from SUREUncertaintyLib.metrics.multirater_evaluation import score_slice
from SUREUncertaintyLib.metrics.raters import RaterArrays
from SUREUncertaintyLib.metrics.raters import RaterSlice
from SUREUncertaintyLib.metrics.slice_predictor import SlicePredictor

SAMPLES = 16
METRICS = (
    "ged2",
    "ncc",
    "ncc_variance",
    "diversity",
    "best_dice",
    "dice_majority",
    "rater_ece",
    "auroc_disagreement",
)


def score_slices(arrays: RaterArrays, entries: Sequence[RaterSlice], predictor: SlicePredictor) -> dict[str, Any]:
    """``patients`` of the nodules, and ``values`` of every metric: mean over a nodule's slices, None if undefined."""
    lesions = {lesion: number for number, lesion in enumerate(dict.fromkeys(entry.lesion for entry in entries))}
    scored = [
        score_slice(
            entry, predictor.predict(arrays.images[entry.row], (lesions[entry.lesion],)), arrays.masks(entry.row)
        )
        for entry in entries
    ]
    values = {name: [_mean(scored, lesion, name) for lesion in lesions] for name in METRICS}
    return {"slices": len(scored), "patients": [patient for patient, _ in lesions], "values": values}


def _mean(scored: Sequence[SliceScores], lesion: tuple[str, str], name: str) -> float | None:
    values = [score.values[name] for score in scored if score.entry.lesion == lesion]
    defined = [value for value in values if not np.isnan(value)]
    return round(float(np.mean(defined)), 6) if defined else None
