"""Gaussian noise: x + s n, one unit-normal field n a case, the noise of the metrics and of the slider.

On the normalised input s is the spread; in units of the scan's own noise it acts on the raw intensities, where that
noise is, and a zero background stays zero.
"""

from __future__ import annotations

import numpy as np

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32
from .scan_noise import estimate_noise


def _act(image: Float32, given: CorruptionInput) -> Float32:
    field = given.normal(image.shape)
    if "noise_multiples" not in given.physical:
        return image + np.float32(given.physical["spread"]) * field
    spread = np.float32(given.physical["noise_multiples"] * estimate_noise(image))
    return np.where(image != 0, image + spread * field, np.float32(0.0))


GAUSSIAN = Corruption("gaussian", _("Gaussian noise"), "input", _act)
