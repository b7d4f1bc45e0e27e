"""What is measured at one level: agreement with the clean result, uncertainty near and far, and the label's metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.labels import Label
from ..evaluation.case_result import MEAN, Scores
from ..evaluation.predictor import Prediction
from ..evaluation.relation_scores import NOTHING_FAR
from ..evaluation.structure_scores import score_structures, score_without_label
from ..metrics.boundary import NO_BOUNDARY, BoundaryZone, boundary_zone
from ..metrics.overlap import dice, emptiness
from ..metrics.surface import surface_distance
from .results import AGREEMENT, LevelResult


@dataclass(frozen=True, eq=False)
class CleanReference:
    """What every level of a case is compared with.

    Attributes:
        clean: label map of the scan without damage (k, j, i).
        reference: the label, None without one.
        classes: of the model, background first.
        spacing: mm along (k, j, i).
        zone: around the boundary of the label, or of the clean prediction without one; None without a boundary.
    """

    clean: NDArray[Any]
    reference: NDArray[Any] | None
    classes: tuple[Label, ...]
    spacing: tuple[float, float, float]
    zone: BoundaryZone | None

    @property
    def boundary(self) -> str:
        """Where the zone comes from."""
        if self.zone is None:
            return ""
        return "prediction" if self.reference is None else "label"

    def near(self, prediction: Prediction) -> NDArray[np.float32]:
        """Uncertainty of the voxels near the boundary, always the same voxels; empty without a boundary."""
        if self.zone is None:
            return np.empty(0, dtype=np.float32)
        return np.asarray(self.zone.in_near(prediction.uncertainty), dtype=np.float32)

    def measure(self, prediction: Prediction, level: float, physical: dict[str, float]) -> LevelResult:
        """Every metric of one level."""
        scores = Scores()
        self._score_agreement(scores, prediction)
        self._score_uncertainty(scores, prediction)
        if self.reference is None:
            score_without_label(scores, self.classes)
        else:
            score_structures(scores, prediction, self.reference, self.classes, self.spacing)
        undefined = {metric: reasons for metric, reasons in scores.undefined.items() if reasons}
        return LevelResult(level, physical, scores.values, undefined)

    def _score_agreement(self, scores: Scores, prediction: Prediction) -> None:
        names = []
        for label in self.classes:
            if label.value == 0:
                continue
            names.append(label.name)
            now, before = prediction.labels == label.value, self.clean == label.value
            scores.put("agreement_dice", label.name, dice(now, before), emptiness(now, before))
            distance = surface_distance(now, before, self.spacing)
            scores.put("agreement_hd95_mm", label.name, distance.hd95, distance.reason)
        for metric in AGREEMENT:
            scores.put_mean(metric, names)

    def _score_uncertainty(self, scores: Scores, prediction: Prediction) -> None:
        near, zone = self.near(prediction), self.zone
        mean = float(near.mean(dtype=np.float64)) if near.size else float("nan")
        scores.put("near_uncertainty", MEAN, mean, NO_BOUNDARY)
        far = float("nan") if zone is None else zone.far_mean(prediction.uncertainty)
        scores.put("far_uncertainty", MEAN, far, NO_BOUNDARY if zone is None else NOTHING_FAR)


def make_yardstick(
    clean: Prediction,
    reference: NDArray[Any] | None,
    classes: tuple[Label, ...],
    spacing: tuple[float, float, float],
) -> CleanReference:
    """The yardstick of a case from its clean prediction and its label."""
    labels = clean.labels if reference is None else reference
    zone = boundary_zone(labels, spacing)
    analysed = None if zone is None else zone.within(np.isfinite(clean.uncertainty))
    return CleanReference(clean.labels, reference, classes, spacing, analysed)
