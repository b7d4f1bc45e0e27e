"""Speckle, that of ultrasound and other coherent imaging: noise in proportion to the signal, x (1 + s n)."""

from __future__ import annotations

import numpy as np

from .corruption import Corruption
from .corruption import Float32
from .corruption import Given


def _act(image: Float32, given: Given) -> Float32:
    return image * (np.float32(1.0) + np.float32(given.physical["relative_spread"]) * given.normal(image.shape))


SPECKLE = Corruption("speckle", "Speckle", "scan", _act)
