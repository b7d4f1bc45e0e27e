"""What reviewing the worst part of a worklist buys, where labels can tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .case_row import FAILED, CaseRow

SHARES = (0.1, 0.2, 0.5)
FAILURE = 0.75
"""Mean Dice below which a result counts as failed."""
FEWEST = 5
"""Labelled cases; with fewer a share of them means nothing."""


@dataclass(frozen=True)
class ReviewPoint:
    """After reviewing a share of the cases.

    Attributes:
        cases: that were reviewed. found: share of the failures among them; NaN without failures.
        left, left_at_random, left_at_best: mean Dice of the cases that nobody reviewed, in this order, in any order,
            and in the order of the true Dice.
    """

    share: float
    cases: int
    found: float
    left: float
    left_at_random: float
    left_at_best: float


@dataclass(frozen=True)
class ReviewCurve:
    """``cases`` have a label, ``failures`` of them a mean Dice below ``FAILURE``."""

    cases: int
    failures: int
    points: tuple[ReviewPoint, ...]


def review_curve(rows: Sequence[CaseRow]) -> ReviewCurve | None:
    """The curve of rows that are sorted by need; None with fewer than five labelled cases."""
    dice = np.array([row.dice for row in rows if row.status != FAILED and math.isfinite(row.dice)])
    if dice.size < FEWEST:
        return None
    failed = dice < FAILURE
    return ReviewCurve(dice.size, int(failed.sum()), tuple(_point(dice, failed, share) for share in SHARES))


def _point(dice: NDArray[np.float64], failed: NDArray[np.bool_], share: float) -> ReviewPoint:
    count = max(1, round(share * dice.size))
    found = float(failed[:count].sum() / failed.sum()) if failed.any() else math.nan
    best = np.sort(dice)
    return ReviewPoint(share, count, found, float(dice[count:].mean()), float(dice.mean()), float(best[count:].mean()))
