"""Which cases to correct first, so that a model that is trained on them learns most: those unlike one another.

The first one is the neediest; the next is always the one farthest from the nearest that was chosen before
(farthest-point sampling, Gonzalez 1985). No order was clearly better than chance: Testing/Studies/correction_study.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..analysis.verdict import DO_NOT_USE
from .case_row import FAILED, CaseRow

COUNT = 10
FEATURES = ("mean_uncertainty", "boundary_uncertainty", "interior_uncertainty", "share_over_threshold")
"""Of each structure; its volume (as a logarithm) and its scale S count as well."""

_LIKE_A_DEVIATION = 1.4826
"""Times the median absolute deviation: the standard deviation of normal numbers."""


def correction_order(rows: Sequence[CaseRow], count: int = COUNT) -> tuple[str, ...]:
    """Ids of the cases to correct first, at most ``count``.

    Args:
        rows: sorted by need, as in the worklist.

    Returns:
        One case a patient as long as there are patients left. Failed cases, cases in which nothing was found and scans
        that are none the model knows are left out: a corrected outline of those teaches it nothing.
    """
    able = worth_correcting(rows)
    if not able:
        return ()
    chosen = farthest(case_features(able), [row.group for row in able], count)
    return tuple(able[place].id for place in chosen)


def worth_correcting(rows: Sequence[CaseRow]) -> list[CaseRow]:
    """The rows that a model can learn from, one of those that hold the same voxels."""
    able = [row for row in rows if _can_teach(row)]
    first = {row.voxels or row.id: row for row in reversed(able)}
    return [row for row in able if first[row.voxels or row.id] is row]


def farthest(
    features: NDArray[np.float64], groups: Sequence[str], count: int, weights: NDArray[np.float64] | float = 1.0
) -> list[int]:
    """Places of at most ``count`` cases: the first, then the largest weight x distance to the nearest one before.

    Args:
        features: (n, measures). groups: patient of each; one comes again only when there is no other one left.
        weights: (n) or one for all; what is heavier is taken sooner.
    """
    patients, chosen = np.array(groups), [0]
    nearest = _distances(features, 0)
    while len(chosen) < min(count, len(features)):
        left = np.setdiff1d(np.arange(len(features)), chosen)
        others = left[~np.isin(patients[left], patients[chosen])]
        left = others if others.size else left
        best = int(left[np.argmax((weights * np.maximum(nearest, 1e-9))[left])])  # never 0: weights decide a tie
        chosen.append(best)
        nearest = np.minimum(nearest, _distances(features, best))
    return chosen


def _can_teach(row: CaseRow) -> bool:
    unknown = row.status == DO_NOT_USE and not math.isfinite(row.predicted_dice)
    return row.status != FAILED and not unknown and any(structure["voxels"] for structure in row.structures)


def case_features(rows: Sequence[CaseRow]) -> NDArray[np.float64]:
    """(cases, measures), robustly standardised; what was not measured lies in the middle."""
    names = sorted({str(structure["name"]) for row in rows for structure in row.structures})
    values = np.array([_measures(row, names) for row in rows], float)
    with np.errstate(all="ignore"):
        known = np.where(np.isfinite(values), values, np.nan)
        known = known[:, np.isfinite(known).any(axis=0)]
        middle = np.nanmedian(known, axis=0)
        spread = _LIKE_A_DEVIATION * np.nanmedian(np.abs(known - middle), axis=0)
    return np.nan_to_num((known - middle) / np.where(spread > 0, spread, np.inf))


def _measures(row: CaseRow, names: Sequence[str]) -> list[float]:
    by_name = {str(structure["name"]): structure for structure in row.structures}
    found: list[float] = []
    for name in names:
        structure = by_name.get(name, {})
        volume, scale = structure.get("volume_ml"), structure.get("perception_scale")
        found += [math.log(volume) if volume else math.nan, math.nan if scale is None else scale]
        found += [_number(structure.get(feature)) for feature in FEATURES]
    return found


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _distances(features: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    """Of every case to one of them."""
    found: NDArray[np.float64] = np.linalg.norm(features - features[place], axis=1)
    return found
