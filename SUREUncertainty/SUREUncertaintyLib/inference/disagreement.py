"""What two placements of a window disagree about, added to what one of them says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..arrays.heads import Belief


def widened(belief: Belief, other: Belief, seen: NDArray[np.bool_]) -> Belief:
    """The first belief, as uncertain as the second one is and as the two differ.

    Where the other window did not reach (``seen`` is false) nothing changes. They differ by the total variation of
    their probabilities, half the sum of the absolute differences: 0 where they say the same, 1 where each is sure of
    something else.
    """
    apart = np.abs(belief.probability - other.probability).sum(axis=0) / 2
    more = np.maximum(np.maximum(belief.uncertainty, other.uncertainty), apart)
    return replace(belief, uncertainty=np.where(seen, more, belief.uncertainty).astype(np.float32))
