"""Overlap of a predicted and a reference mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

BOTH_EMPTY = "both empty"
MISSED = "missed"
SPURIOUS = "spurious"


def emptiness(prediction: Mask, reference: Mask) -> str | None:
    """Which of the two masks is empty, as a reason; None when neither is.

    ``"missed"``: the reference holds the structure, the prediction does not; ``"spurious"``: the other way round.
    """
    found, present = bool(prediction.any()), bool(reference.any())
    if found and present:
        return None
    if not found and not present:
        return BOTH_EMPTY
    return MISSED if present else SPURIOUS


def _counts(prediction: NDArray[Any], reference: NDArray[Any]) -> tuple[int, int]:
    """Voxels in both masks, and the sum of the two sizes."""
    if prediction.shape != reference.shape:
        raise ValueError(f"masks of shapes {prediction.shape} and {reference.shape} cannot be compared")
    first, second = prediction.astype(bool, copy=False), reference.astype(bool, copy=False)
    shared = int(np.count_nonzero(first & second))
    return shared, int(np.count_nonzero(first)) + int(np.count_nonzero(second))


def dice(prediction: NDArray[Any], reference: NDArray[Any]) -> float:
    """Dice coefficient 2|A and B| / (|A| + |B|) of two masks of any shape, in [0, 1] (Dice, Ecology 26:297, 1945).

    Both empty: NaN (undefined, to be left out and counted). Exactly one empty: 0.
    """
    shared, total = _counts(prediction, reference)
    return 2.0 * shared / total if total else float("nan")


def iou(prediction: NDArray[Any], reference: NDArray[Any]) -> float:
    """Intersection over union |A and B| / |A or B| of two masks, in [0, 1] (Jaccard, 1912).

    Both empty: NaN. Exactly one empty: 0.
    """
    shared, total = _counts(prediction, reference)
    return shared / (total - shared) if total else float("nan")
