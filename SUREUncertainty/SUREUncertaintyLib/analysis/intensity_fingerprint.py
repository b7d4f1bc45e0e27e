"""What an image's grey values look like, whatever their scale: to notice a scan unlike the training data.

No measure changes under x -> a x + b with a > 0, so that scanners' arbitrary intensity units do not matter. Training
stores their ranges in the package (``expected.contrast``), a run compares the scan with them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE_VOXELS = 2 * 1024 * 1024
DESCRIPTIONS = {
    "skewness": "balance of dark and bright tissue",
    "kurtosis": "share of extremely dark or bright voxels",
    "dark_share": "amount of dark background",
    "middle": "brightness of most tissue",
    "edge_sharpness": "sharpness of edges or noise",
}


def measure(array: NDArray[Any]) -> dict[str, float]:
    """Scale-free intensity statistics of an image on the model's grid.

    Large arrays are represented by evenly spaced whole planes, so the cost is bounded and nothing is random.

    Args:
        array: (k, j, i), any real type, at least one voxel.

    Returns:
        ``skewness``, ``kurtosis`` (excess) of the grey values; ``dark_share``, the share of voxels in the lowest
        twentieth of the range from the 1st to the 99th percentile; ``middle``, where the median lies in that range;
        ``edge_sharpness``, the mean absolute difference between 6-neighbours over the standard deviation. All 0 for a
        constant image.
    """
    planes, following = _sample(array)
    deviation = planes - planes.mean()
    squared = deviation * deviation  # products: numpy's power is many times slower
    spread = float(np.sqrt(squared.mean()))
    low, median, high = (float(x) for x in np.percentile(planes, (1, 50, 99)))
    if spread <= 1e-6 * float(np.abs(planes).max()) or high <= low:
        return dict.fromkeys(DESCRIPTIONS, 0.0)
    return {
        "skewness": float(np.mean(squared * deviation)) / spread**3,
        "kurtosis": float(np.mean(squared * squared)) / spread**4 - 3.0,
        "dark_share": float(np.mean(planes <= low + 0.05 * (high - low))),
        "middle": (median - low) / (high - low),
        "edge_sharpness": _mean_step(planes, following) / spread,
    }


def _sample(array: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Evenly spaced planes (n, j, i) and, for each, the next one; a single plane is its own neighbour."""
    count = max(1, min(len(array), SAMPLE_VOXELS // max(1, array[0].size)))
    chosen = np.unique(np.linspace(0, len(array) - 1, count).round().astype(int))
    following = np.minimum(chosen + 1, len(array) - 1)
    return array[chosen].astype(np.float64), array[following].astype(np.float64)


def _mean_step(planes: NDArray[np.float64], following: NDArray[np.float64]) -> float:
    steps = [np.abs(following - planes), np.abs(np.diff(planes, axis=1)), np.abs(np.diff(planes, axis=2))]
    means = [float(step.mean()) for step in steps if step.size and step.any()]
    return float(np.mean(means)) if means else 0.0
