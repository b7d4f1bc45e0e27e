"""Which cases to correct first, so that a model that is trained on them learns most: needy, and unlike one another.

The next case is the one with the largest need x distance: need falls evenly from 1 at the top of the worklist, distance
is that to the nearest case that was chosen before (farthest-point sampling, Gonzalez 1985, weighted by need).
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
    places = [place for place, row in enumerate(rows) if _can_teach(row)]
    if not places:
        return ()
    need = np.array([1.0 - place / len(rows) for place in places])
    features = _features([rows[place] for place in places])
    groups = np.array([rows[place].group for place in places])
    chosen = [0]
    distance = _distances(features, 0)
    while len(chosen) < min(count, len(places)):
        left = np.setdiff1d(np.arange(len(places)), chosen)
        others = left[~np.isin(groups[left], groups[chosen])]
        left = others if others.size else left
        best = int(left[np.argmax((need * np.maximum(distance, 1e-9))[left])])
        chosen.append(best)
        distance = np.minimum(distance, _distances(features, best))
    return tuple(rows[places[place]].id for place in chosen)


def _can_teach(row: CaseRow) -> bool:
    unknown = row.status == DO_NOT_USE and not math.isfinite(row.predicted_dice)
    return row.status != FAILED and not unknown and any(structure["voxels"] for structure in row.structures)


def _features(rows: Sequence[CaseRow]) -> NDArray[np.float64]:
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
