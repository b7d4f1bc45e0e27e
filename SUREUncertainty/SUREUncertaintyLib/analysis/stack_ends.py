"""How a stack of slices ends while it still shows a beating cavity: at the valve, where it is wide, or cut off.

Short-axis stacks end at the base with the cavity still wide, in every scan. That is no defect, and a warning about
every heart would help nobody. Towards the apex the cavity tapers, so a wide slice there means that slices are missing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TAPERED = 0.5
"""Share of the largest slice that the apical end of a whole stack stays below (``Testing/Bench/stack_ends.py``)."""


def ends_in_cavity(counts: NDArray[np.int64]) -> bool:
    """Whether the first or the last slice of a stack shows the cavity.

    Args:
        counts: its voxels, slice by slice.
    """
    return len(counts) > 1 and bool(counts[0] or counts[-1])


def lacks_apex(counts: NDArray[np.int64]) -> bool:
    """Whether a stack ends before the cavity tapers; arguments as for ``ends_in_cavity``.

    Of the two ends of the cavity the narrow one is the apex. Which is which cannot be known where both are wide, and
    whether the stack reaches the valve cannot be known at all.
    """
    shown = np.flatnonzero(counts)
    if len(counts) < 2 or not len(shown):
        return False
    ends = ((counts[shown[0]], shown[0] == 0), (counts[shown[-1]], shown[-1] == len(counts) - 1))
    size, is_edge = min(ends, key=lambda end: (end[0], not end[1]))
    return bool(is_edge and size > TAPERED * counts.max())
