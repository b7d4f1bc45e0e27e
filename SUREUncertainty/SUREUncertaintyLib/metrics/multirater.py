"""Samples of a model against several readers' outlines of one image.

Empty rule of distances: both masks empty 0, exactly one empty 1. Overlap scores follow ``overlap.py``: both empty is
undefined and left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-8
UPPER_EDGE = 1.0 + 1e-8

Floats = NDArray[np.float64]


def iou_distances(first: NDArray[Any], second: NDArray[Any]) -> Floats:
    """1 - IoU of every mask of ``first`` (N, ...) with every mask of ``second`` (M, ...): (N, M)."""
    shared, sizes = _overlaps(first, second)
    union = sizes - shared
    return np.where(union > 0, 1.0 - shared / np.maximum(union, 1.0), 0.0)


def ged_squared(samples: NDArray[Any], readings: NDArray[Any]) -> float:
    """Squared generalised energy distance of one image, 0 (same distribution) to 2.

    2 mean d(s, y) - mean d(s, s') - mean d(y, y') with d = 1 - IoU, pairs of a mask with itself included.
    (Szekely and Rizzo 2013; Kohl et al., Probabilistic U-Net, 2018.)

    Args:
        samples, readings: masks (N, ...) and (M, ...).
    """
    between = iou_distances(samples, readings).mean()
    return float(2.0 * between - diversity(samples) - diversity(readings))


def diversity(masks: NDArray[Any]) -> float:
    """Mean 1 - IoU over all pairs of masks, a mask with itself included: the samples' own term of GED^2."""
    return float(iou_distances(masks, masks).mean())


def best_dice(samples: NDArray[Any], readings: NDArray[Any]) -> float:
    """For every reading the Dice of the sample that fits it best, mean over readings.

    An empty reading that an empty sample matches is left out, one that no sample matches counts 0.
    """
    shared, sizes = _overlaps(samples, readings)
    dice = np.where(sizes > 0, 2.0 * shared / np.maximum(sizes, 1.0), np.nan)
    best = [column.max() for column in dice.T if not np.isnan(column).any()]
    return float(np.mean(best)) if best else float("nan")


def cross_entropy_ncc(probabilities: NDArray[Any], readings: NDArray[Any]) -> float:
    """NCC of PHiSeg (Baumgartner et al. 2019): does the spread of samples lie where readers depart from them?

    Mean over readings y of the correlation of two maps: the cross-entropy of the samples with their mean, and their
    cross-entropy with y. NaN where a map is constant for every reading.

    Args:
        probabilities: samples (N, C, ...); readings: class numbers (M, ...).
    """
    logarithms = np.log(probabilities.astype(np.float64) + SMALLEST).mean(axis=0)
    within = -(probabilities.mean(axis=0, dtype=np.float64) * logarithms).sum(axis=0)
    across = [-np.take_along_axis(logarithms, reading[None].astype(np.intp), axis=0)[0] for reading in readings]
    values = [correlation(within, map_) for map_ in across]
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def correlation(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Normalised cross-correlation of two maps with their means removed, -1..1; NaN where one is constant."""
    a, b = (map_.astype(np.float64).ravel() - map_.mean(dtype=np.float64) for map_ in (first, second))
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > SMALLEST**2 else float("nan")


def rater_variance(readings: NDArray[Any]) -> Floats:
    """q (1 - q) with q the share of readers that marked a pixel."""
    share = readings.mean(axis=0, dtype=np.float64)
    return share * (1.0 - share)


def rater_calibration_error(probability: NDArray[Any], share: NDArray[Any], bins: int = 10) -> float:
    """Sum over bins of weight x |mean probability - mean share of readers|, 0..1; bins as for the plain error."""
    p, q = probability.astype(np.float64).ravel(), share.astype(np.float64).ravel()
    index = np.clip(np.searchsorted(np.linspace(0.0, UPPER_EDGE, bins + 1), p, side="right") - 1, 0, bins - 1)
    gaps = np.bincount(index, weights=p - q, minlength=bins)
    return float(np.abs(gaps).sum() / p.size)


def _overlaps(first: NDArray[Any], second: NDArray[Any]) -> tuple[Floats, Floats]:
    """Shared pixels and the sum of both sizes, for every pair."""
    a, b = ((masks != 0).reshape(len(masks), -1).astype(np.float64) for masks in (first, second))
    return a @ b.T, a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :]
