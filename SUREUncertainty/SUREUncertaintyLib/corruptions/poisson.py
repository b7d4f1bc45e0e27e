"""Poisson noise, that of counting photons: brightness above the darkest voxel is read as a number of counts.

With relative noise r at m, the mean of what is brighter than that, the scan counts q = 1 / (r^2 m) photons a unit,
and the variance of a voxel of brightness x is x / q. One uniform field is pushed through the distribution's
quantiles, so that rising strength makes one pattern stronger instead of drawing a new one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .corruption import Corruption
from .corruption import Float32
from .corruption import Given

MANY = 1000.0
"""Expected counts above which the normal distribution stands in (quantiles agree to 0.02 standard deviations)."""


def _act(image: Float32, given: Given) -> Float32:
    dark = float(image.min())
    above = image.astype(np.float64) - dark
    if not above.any():
        return image.copy()
    mean = float(above[above > 0.0].mean())
    counts_per_unit = 1.0 / (given.physical["relative_noise"] ** 2 * mean)
    counts = _quantiles(above * counts_per_unit, given)
    return (counts / counts_per_unit + dark).astype(np.float32)


def _quantiles(expected: NDArray[np.float64], given: Given) -> NDArray[np.float64]:
    from scipy.stats import poisson

    normal = given.normal(expected.shape).astype(np.float64)
    counts = np.maximum(np.rint(expected + np.sqrt(expected) * normal), 0.0)
    few = expected < MANY
    counts[few] = poisson.ppf(given.uniform(expected.shape)[few], expected[few])
    return counts


POISSON = Corruption("poisson", "Poisson noise", "scan", _act)
