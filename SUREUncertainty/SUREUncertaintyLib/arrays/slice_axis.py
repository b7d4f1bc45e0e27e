"""Which axis of an array runs along the slices of a scan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.geometry import STACK


def slice_axis(orientation: str) -> int:
    """The array axis (k, j, i) that runs from foot to head in an orientation such as ``"RAS"``, or across a stack."""
    if orientation == STACK:
        return 0
    return 2 - next(n for n, letter in enumerate(orientation) if letter in "SI")


def slices_first(array: NDArray[Any], orientation: str) -> NDArray[Any]:
    """A view of (k, j, i) whose first axis is the slice axis of the RAS-ordered volume."""
    return np.moveaxis(array, slice_axis(orientation), 0)
