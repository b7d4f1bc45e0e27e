"""What the grey values of a scan say about its kind: CT has air and lungs at fixed numbers, no other scan has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

AIR = (-1100.0, -700.0)
"""HU: air and lungs on CT, with the noise of a scanner."""
SAMPLED = 2_000_000
"""Voxels that are looked at for a share."""


@dataclass(frozen=True)
class GreyValues:
    """``lowest``: the darkest voxel; ``air``: share of voxels, 0..1, with the values that air and lungs have on CT."""

    lowest: float
    air: float


def grey_values(array: NDArray[Any]) -> GreyValues:
    """Of a scan (k, j, i); the share comes from every n-th voxel of a large one."""
    lowest = float(array.min())
    if lowest >= AIR[1]:
        return GreyValues(lowest, 0.0)
    step = max(1, round((array.size / SAMPLED) ** (1 / 3)))
    some = array[::step, ::step, ::step]
    return GreyValues(lowest, float(np.mean((some >= AIR[0]) & (some < AIR[1]))))
