"""What stands for "not analysed" where readers lose NaN: ITK (and with it Slicer) reads NaN in NIfTI as 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BACKGROUND = -1.0
"""Below every uncertainty, which lies in 0..1; never 0, which would read as certain."""


def with_background(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map, any shape, with ``BACKGROUND`` in the place of NaN."""
    return np.nan_to_num(values, nan=BACKGROUND)
