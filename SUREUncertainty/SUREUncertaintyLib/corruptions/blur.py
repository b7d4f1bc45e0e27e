"""Blur with a Gaussian of the same width in mm along every axis; the border repeats outwards."""

from __future__ import annotations

import numpy as np

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32


def _act(image: Float32, given: CorruptionInput) -> Float32:
    from scipy.ndimage import gaussian_filter

    sigma = [given.physical["sigma_mm"] / side for side in given.spacing]
    return np.asarray(gaussian_filter(image, sigma, mode="nearest"))


BLUR = Corruption("blur", _("Blur"), "scan", _act)
