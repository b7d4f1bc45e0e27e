"""Poisson noise, that of counting photons: brightness above the darkest voxel is read as a number of counts.

With relative noise r at m, the mean of what is brighter than that, the scan counts q = 1 / (r^2 m) photons a unit,
and the variance of a voxel of brightness x is x / q. The normal field is pushed through the distribution's
quantiles, so that rising strength makes one pattern stronger instead of drawing a new one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32

MANY = 1000.0
"""Expected counts from which on the expansion alone is exact to one count."""
SMALLEST = 1e-30
"""Below this the noise is far under the last digit of float32, and its reciprocal may not be finite."""


def _act(image: Float32, given: CorruptionInput) -> Float32:
    dark = float(image.min())
    above = image.astype(np.float64) - dark
    if not above.any():
        return image.copy()
    mean = float(above[above > 0.0].mean())
    variance = given.physical["relative_noise"] ** 2 * mean
    if variance < SMALLEST:
        return image.copy()
    counts_per_unit = 1.0 / variance
    counts = poisson_quantile(given.normal(image.shape).astype(np.float64), above * counts_per_unit)
    return (counts / counts_per_unit + dark).astype(np.float32)


def poisson_quantile(normal: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts of Poisson distributions at the quantiles of standard normal values, element by element.

    The Cornish-Fisher expansion says about where the count is; below ``MANY`` expected counts the distribution
    function then finds it exactly. Some 20 times as fast as ``scipy.stats.poisson.ppf``.
    """
    from scipy.special import ndtr

    spread = np.sqrt(expected)
    counts = np.maximum(np.rint(expected + spread * normal + (normal**2 - 1.0) / 6.0), 0.0)
    few = expected < MANY
    counts[few] = _exact(counts[few], ndtr(normal[few]), expected[few])
    return np.where(expected > 0.0, counts, 0.0)


def _exact(
    guess: NDArray[np.float64], share: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The smallest counts whose distribution function reaches ``share``, from guesses a few counts away."""
    from scipy.special import pdtr

    counts = guess.copy()
    low = np.flatnonzero(pdtr(counts, expected) < share)
    while low.size:
        counts[low] += 1.0
        low = low[pdtr(counts[low], expected[low]) < share[low]]
    high = np.flatnonzero(counts > 0.0)
    high = high[pdtr(counts[high] - 1.0, expected[high]) >= share[high]]
    while high.size:
        counts[high] -= 1.0
        high = high[counts[high] > 0.0]
        high = high[pdtr(counts[high] - 1.0, expected[high]) >= share[high]]
    return counts


POISSON = Corruption("poisson", _("Poisson noise"), "scan", _act)
