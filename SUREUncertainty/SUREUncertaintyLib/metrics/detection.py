"""How well a map of uncertainty finds the wrong voxels.

Everything is exact and needs one sort of the uncertainties and one of the errors' uncertainties: O(n log n) time and
one float a voxel of memory. Ties count half (AUROC), as one threshold (AUPR), or by their expectation (AURC).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

NO_ERRORS = "no wrong voxel"
ALL_ERRORS = "no right voxel"

UEO_THRESHOLDS: NDArray[np.float64] = np.arange(1, 100) / 100.0


@dataclass(frozen=True)
class ErrorDetection:
    """Uncertainty as a detector of errors.

    Attributes:
        auroc: probability that a wrong voxel is more uncertain than a right one, ties 1/2; NaN without either.
        aupr: average precision, sum over distinct thresholds of (recall step x precision); NaN without errors.
        aurc: area under the risk-coverage curve; 0 without errors.
        ueo: best Dice between {u > tau} and the errors over tau = 0.01..0.99; chosen on the case itself, so optimistic.
        ueo_threshold: the smallest tau that reaches it.
        reason: why AUROC (and AUPR) are undefined, else None.
    """

    auroc: float
    aupr: float
    aurc: float
    ueo: float
    ueo_threshold: float
    reason: str | None = None


class UncertaintyRanking:
    """The uncertainties of one case, sorted once and then asked about any set of errors."""

    def __init__(self, uncertainty: NDArray[Any]) -> None:
        """``uncertainty``: any shape, finite, larger is more uncertain."""
        if not np.isfinite(uncertainty).all():
            raise ValueError("an uncertainty is not finite")
        self._values = uncertainty
        self._sorted = np.sort(uncertainty, axis=None)

    def detect(self, wrong: NDArray[Any]) -> ErrorDetection:
        """All measures for one mask of wrong voxels, of the uncertainty's shape."""
        if wrong.shape != self._values.shape:
            raise ValueError(f"errors of shape {wrong.shape} and uncertainty of shape {self._values.shape} differ")
        errors = np.sort(self._values[wrong.astype(bool, copy=False)], axis=None)
        ueo, threshold = self._ueo(errors)
        return ErrorDetection(
            self._auroc(errors), self._aupr(errors), self._aurc(errors), ueo, threshold, self._reason(errors)
        )

    def overlap_at(self, wrong: NDArray[Any], threshold: float) -> float:
        """Uncertainty-error overlap at a fixed ``threshold``, for instance one chosen on other cases."""
        errors = np.sort(self._values[wrong.astype(bool, copy=False)], axis=None)
        return float(self._overlap(errors, np.array([threshold]))[0])

    def _reason(self, errors: NDArray[Any]) -> str | None:
        if not errors.size:
            return NO_ERRORS
        return ALL_ERRORS if errors.size == self._sorted.size else None

    def _auroc(self, errors: NDArray[Any]) -> float:
        """Mann-Whitney: mean rank of the errors among the right voxels."""
        right = self._sorted.size - errors.size
        if not errors.size or not right:
            return float("nan")
        below = np.searchsorted(self._sorted, errors, "left") - np.searchsorted(errors, errors, "left")
        up_to = np.searchsorted(self._sorted, errors, "right") - np.searchsorted(errors, errors, "right")
        return float((below.sum() + up_to.sum()) / (2.0 * errors.size * right))

    def _aupr(self, errors: NDArray[Any]) -> float:
        """Average precision: each error counts with the precision at its own threshold."""
        if not errors.size:
            return float("nan")
        flagged = self._sorted.size - np.searchsorted(self._sorted, errors, "left")
        caught = errors.size - np.searchsorted(errors, errors, "left")
        return float(np.mean(caught / flagged))

    def _aurc(self, errors: NDArray[Any]) -> float:
        """Mean over k = 1..n of the error rate among the k least uncertain voxels.

        The error at rank r adds sum_{k >= r} 1/k = H_n - H_{r-1}; in a group of m tied voxels after a others it adds
        the mean over its possible ranks, H_n - H_a - (a + m)/m (H_{a+m} - H_a) + 1.
        """
        n = self._sorted.size
        if not n:
            return float("nan")
        before = np.searchsorted(self._sorted, errors, "left")
        tied = np.searchsorted(self._sorted, errors, "right") - before
        start = _harmonic(before)
        inside = np.where(tied == 1, 0.0, (before + tied) / tied * (_harmonic(before + tied) - start) - 1.0)
        return float((_harmonic(np.array([n])) - start - inside).sum() / n)

    def _overlap(self, errors: NDArray[Any], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Dice of {u > tau} and the errors for every tau; 1 where both are empty."""
        flagged = self._sorted.size - np.searchsorted(self._sorted, thresholds, "right")
        caught = errors.size - np.searchsorted(errors, thresholds, "right")
        total = flagged + errors.size
        return np.where(total == 0, 1.0, 2.0 * caught / np.maximum(total, 1))

    def _ueo(self, errors: NDArray[Any]) -> tuple[float, float]:
        overlaps = self._overlap(errors, UEO_THRESHOLDS)
        best = int(np.argmax(overlaps))
        return float(overlaps[best]), float(UEO_THRESHOLDS[best])


def _harmonic(n: NDArray[Any]) -> NDArray[np.float64]:
    """Harmonic number H_n, H_0 = 0."""
    return np.asarray(digamma(n + 1.0) + np.euler_gamma, dtype=np.float64)


def error_detection(uncertainty: NDArray[Any], wrong: NDArray[Any]) -> ErrorDetection:
    """AUROC, AUPR, area under the risk-coverage curve and UEO of ``uncertainty`` for finding the ``wrong`` voxels.

    Both arrays have the same shape; ``wrong`` for a structure c is [prediction = c] != [label = c]. Sources: Hanley and
    McNeil 1982 (AUROC), Geifman and El-Yaniv 2017 (risk-coverage), Zou et al. DEviS (uncertainty-error overlap).
    """
    return UncertaintyRanking(uncertainty).detect(wrong)
