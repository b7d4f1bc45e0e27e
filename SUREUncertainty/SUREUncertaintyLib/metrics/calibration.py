"""How far predicted probabilities are from what happened, one class against the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

UPPER_EDGE = 1.0 + 1e-8
BLOCK = 1 << 22


def _checked(probability: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    if probability.shape != truth.shape:
        raise ValueError(f"probabilities of shape {probability.shape} and truth of shape {truth.shape} differ")
    if not np.isfinite(probability).all():
        raise ValueError("a probability is not finite")
    return probability.ravel(), truth.ravel().astype(bool, copy=False)


def expected_calibration_error(probability: NDArray[Any], truth: NDArray[Any], bins: int = 10) -> float:
    """Expected calibration error of one class in [0, 1]: sum over bins of share x |mean p - fraction of truth|.

    ``bins`` equal bins [low, high) on [0, 1 + 1e-8]; empty bins add nothing. ``probability`` is the class's own
    channel, ``truth`` whether a voxel has that class. No voxels: NaN. (Naeini et al., AAAI 2015, per class.)
    """
    p, hit = _checked(probability, truth)
    if not p.size:
        return float("nan")
    edges = np.linspace(0.0, UPPER_EDGE, bins + 1)
    gap = np.zeros(bins)
    for start in range(0, p.size, BLOCK):
        part, truth_part = p[start : start + BLOCK], hit[start : start + BLOCK]
        index = np.clip(np.searchsorted(edges, part, side="right") - 1, 0, bins - 1)
        gap += np.bincount(index, weights=part - truth_part.astype(np.float64), minlength=bins)
    return float(np.abs(gap).sum() / p.size)


def brier(probability: NDArray[Any], truth: NDArray[Any]) -> float:
    """Brier score of one class: mean of (p - [truth])^2 over voxels, in [0, 1] (Brier, 1950). No voxels: NaN."""
    p, hit = _checked(probability, truth)
    if not p.size:
        return float("nan")
    blocks = range(0, p.size, BLOCK)
    squares = (np.square(p[at : at + BLOCK] - hit[at : at + BLOCK].astype(np.float64)).sum() for at in blocks)
    return float(sum(squares) / p.size)
