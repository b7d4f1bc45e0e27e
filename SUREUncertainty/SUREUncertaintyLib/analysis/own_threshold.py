"""A threshold for a further map of a result, which no package has fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

HIGHEST = 1.0
DIGITS = 3


def matching_threshold(primary: NDArray[Any], threshold: float, other: NDArray[Any]) -> float:
    """The threshold above which as many voxels of another map lie as of the primary one above its own.

    Both then colour the same volume, and what differs is where. The same number would not do: the values of vacuity,
    entropy and mutual information have different spreads.

    Args:
        primary, other: maps on one grid; NaN where nothing was analysed.
        threshold: of the primary map.

    Returns:
        three decimals; the highest value where the primary map has no voxel above its threshold.
    """
    values = np.asarray(other)[np.isfinite(other)]
    wanted = int(np.count_nonzero(np.asarray(primary) > threshold))
    if values.size == 0 or wanted == 0:
        return HIGHEST
    place = values.size - min(wanted, values.size)
    level = float(np.partition(values, place)[place])
    return min(max(round(level, DIGITS), 10.0**-DIGITS), HIGHEST)
