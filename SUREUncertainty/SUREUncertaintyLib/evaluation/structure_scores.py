"""Every per-structure metric of one case."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.volume_range import MM3_PER_ML, volume_range_ml
from ..core.labels import Label
from ..metrics.calibration import brier, expected_calibration_error
from ..metrics.detection import UncertaintyRanking
from ..metrics.overlap import dice, emptiness, iou
from ..metrics.surface import EmptyRule, surface_distance
from .case_result import MEAN, PER_STRUCTURE, STRUCTURE_METRICS, VOLUME_METRICS, Scores
from .predictor import Prediction

NO_LABEL = "no reference label"
NO_RANGE = "the model gives no volume range here"


def score_structures(
    scores: Scores,
    prediction: Prediction,
    reference: NDArray[Any],
    classes: tuple[Label, ...],
    spacing_kji: tuple[float, float, float],
    empty: EmptyRule = "undefined",
) -> dict[str, float]:
    """Put overlap, surface, calibration and detection of every foreground class, and their means, into ``scores``.

    ``reference`` (k, j, i) holds values of ``classes``; ``spacing`` is in mm in the order of its axes.

    Channel n of the probabilities belongs to ``classes[n]``. Voxels that were not analysed (NaN in the uncertainty)
    count as background in overlap and calibration, and are left out of the detection of errors. Around a turned window
    (``prediction.asked``) what was not asked for is left out of the overlap, and what was not analysed of calibration.

    Returns the UEO threshold of each structure.
    """
    analysed = np.isfinite(prediction.uncertainty)
    asked = np.True_ if prediction.asked is None else prediction.asked
    calibrated = np.ones_like(analysed) if prediction.asked is None else analysed
    ranking = UncertaintyRanking(prediction.uncertainty[analysed])
    thresholds = {}
    for channel, label in enumerate(classes):
        if label.value == 0:
            continue
        found, present = (prediction.labels == label.value) & asked, (reference == label.value) & asked
        _score_masks(scores, label.name, found, present, spacing_kji, empty)
        probability, truth = prediction.probabilities[channel][calibrated], present[calibrated]
        scores.put("ece", label.name, expected_calibration_error(probability, truth))
        scores.put("brier", label.name, brier(probability, truth))
        thresholds[label.name] = _score_detection(scores, label.name, ranking, (found != present)[analysed])
    _put_means(scores, classes)
    return thresholds


def score_volumes(
    scores: Scores,
    prediction: Prediction,
    reference: NDArray[Any],
    classes: tuple[Label, ...],
    spacing_kji: tuple[float, float, float],
) -> None:
    """Put the error of every structure's volume, and whether its range holds the label's, into ``scores``."""
    voxel_mm3 = float(np.prod(spacing_kji))
    asked = np.True_ if prediction.asked is None else prediction.asked
    names = [label.name for label in classes if label.value != 0]
    for label in classes:
        if label.value == 0:
            continue
        found, present = (
            int(np.count_nonzero((array == label.value) & asked)) for array in (prediction.labels, reference)
        )
        true = present * voxel_mm3 / MM3_PER_ML
        scores.put("volume_error_ml", label.name, abs(found - present) * voxel_mm3 / MM3_PER_ML)
        low, high = volume_range_ml(found, prediction.ranges.get(label.value), voxel_mm3)
        holds = float("nan") if np.isnan(low) else float(low <= true <= high)
        scores.put("range_coverage", label.name, holds, NO_RANGE)
    for metric in VOLUME_METRICS:
        scores.put_mean(metric, names)


def score_without_label(scores: Scores, classes: tuple[Label, ...]) -> None:
    """Leave every metric that compares with a label undefined."""
    for metric in (*PER_STRUCTURE, "ueo"):
        for label in classes:
            if label.value != 0:
                scores.put(metric, label.name, float("nan"), NO_LABEL)
    _put_means(scores, classes)
    for metric in VOLUME_METRICS:
        scores.put_mean(metric, [label.name for label in classes if label.value != 0])


def _score_masks(
    scores: Scores,
    name: str,
    found: NDArray[np.bool_],
    present: NDArray[np.bool_],
    spacing: tuple[float, float, float],
    empty: EmptyRule,
) -> None:
    reason = emptiness(found, present)
    scores.put("dice", name, dice(found, present), reason)
    scores.put("iou", name, iou(found, present), reason)
    distance = surface_distance(found, present, spacing, empty)
    scores.put("hd95_mm", name, distance.hd95, distance.reason)
    scores.put("assd_mm", name, distance.assd, distance.reason)


def _score_detection(scores: Scores, name: str, ranking: UncertaintyRanking, wrong: NDArray[np.bool_]) -> float:
    detection = ranking.detect(wrong)
    scores.put("auroc_error", name, detection.auroc, detection.reason)
    scores.put("aupr_error", name, detection.aupr, detection.reason)
    scores.put("aurc", name, detection.aurc)
    scores.put("ueo", name, detection.ueo)
    return detection.ueo_threshold


def _put_means(scores: Scores, classes: tuple[Label, ...]) -> None:
    names = [label.name for label in classes if label.value != 0]
    for metric in (*STRUCTURE_METRICS, "ueo"):
        scores.put_mean(metric, names)
    # the overlap is reported as a mean only
    scores.values["ueo"] = {MEAN: scores.values["ueo"][MEAN]}
    scores.undefined["ueo"] = {key: text for key, text in scores.undefined.get("ueo", {}).items() if key == MEAN}
