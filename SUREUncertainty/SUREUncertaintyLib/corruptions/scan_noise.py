"""How bright, how varied and how noisy a scan is, with the zero background left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST = 4
"""Voxels along an axis that the wavelet needs; shorter axes are left out."""

HIGH_PASS = np.array([-1.0 - np.sqrt(3.0), 3.0 + np.sqrt(3.0), np.sqrt(3.0) - 3.0, 1.0 - np.sqrt(3.0)]) / np.sqrt(32.0)
"""Decomposition high-pass of the Daubechies wavelet with two vanishing moments (db2); its squares sum to 1."""

NORMAL_QUARTILE = 0.6744897501960817
"""Median of |z| for a standard normal z."""


def foreground_mean_and_sd(image: NDArray[Any]) -> tuple[float, float]:
    """Mean and population standard deviation of the voxels of any shape that are not zero; (0, 0) without any."""
    values = image[image != 0]
    if not values.size:
        return 0.0, 0.0
    return float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))


def estimate_noise(image: NDArray[Any]) -> float:
    """Standard deviation of a scan's own noise, in the scan's units; 0 where nothing can be measured.

    The robust wavelet estimator, median |d| / 0.6745 over the finest diagonal details d (Donoho and Johnstone,
    Biometrika 81:425, 1994). On a scan without zeros the same number as scikit-image's ``estimate_sigma``, which
    would need PyWavelets; details that touch a zero voxel are left out, so that a masked background counts as absent
    instead of as free of noise.
    """
    axes = [axis for axis, count in enumerate(image.shape) if count >= SMALLEST]
    if not axes:
        return 0.0
    detail = np.where(image != 0, image.astype(np.float64), np.nan)
    for axis in axes:
        detail = _details(detail, axis)
    sizes = np.abs(detail[np.isfinite(detail)])
    sizes = sizes[sizes > 0.0]
    return float(np.median(sizes)) / NORMAL_QUARTILE if sizes.size else 0.0


def _details(image: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Every second value of the high-pass along one axis, the border mirrored; NaN where it touches a NaN."""
    taps = len(HIGH_PASS)
    widths = [(taps - 1, taps - 1) if n == axis else (0, 0) for n in range(image.ndim)]
    lines = np.moveaxis(np.pad(image, widths, mode="symmetric"), axis, 0)
    count = len(lines) - taps + 1
    total = sum(weight * lines[taps - 1 - n : taps - 1 - n + count][1::2] for n, weight in enumerate(HIGH_PASS))
    return np.moveaxis(np.asarray(total), 0, axis)
