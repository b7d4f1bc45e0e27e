"""UR, UR*, UCC of a million voxels against SciPy's Kendall tau on the same arrays, on one core."""

from __future__ import annotations

from typing import Any

import numpy as np
from pairs import interleaved
from scipy.stats import kendalltau
from SUREUncertaintyLib.metrics.ranks import rank_statistics

VOXELS = 1_000_000


def bench_ranks() -> dict[str, Any]:
    """Distances with the ties of a voxel grid, and an uncertainty that falls with them under noise."""
    rng = np.random.default_rng(0)
    distance = np.sqrt(rng.integers(0, 37, VOXELS)).round(6)
    uncertainty = (rng.normal(0, 1, VOXELS) - distance).astype(np.float32)
    result = interleaved(
        lambda: rank_statistics(distance, uncertainty), lambda: kendalltau(distance, uncertainty)
    ).document()
    return {"voxels": VOXELS, **result}
