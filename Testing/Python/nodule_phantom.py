"""A made-up nodule in lung, of any size."""

from __future__ import annotations

import numpy as np
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume

SPACING, SHAPE, MIDDLE = (0.7, 0.7, 1.5), (16, 96, 96), (33.6, 33.6, 12.0)
BOX = Roi("Nodule", (-55.0, -55.0, 4.0), (-12.0, -12.0, 20.0))


def made_up_nodule(name: str, radius_mm: float, day: str = "", seed: int = 0) -> Volume:
    """A ball of 40 HU in air of -850 HU, its edge blurred by about a voxel, with noise."""
    grid = Grid(SHAPE, spacing=SPACING)
    k, j, i = (axis * size for axis, size in zip(np.indices(SHAPE), grid.spacing_kji, strict=True))
    distance = np.sqrt((i - MIDDLE[0]) ** 2 + (j - MIDDLE[1]) ** 2 + (k - MIDDLE[2]) ** 2)
    noise = np.random.default_rng(seed).normal(0.0, 20.0, SHAPE)
    scan = -850.0 + 890.0 / (1.0 + np.exp((distance - radius_mm) / 0.5)) + noise
    return Volume(scan.astype(np.int16), grid, name, "CT", acquired=day)
