"""Speckle, that of ultrasound and other coherent imaging: noise in proportion to the signal, x (1 + s n)."""

from __future__ import annotations

import numpy as np

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32


def _act(image: Float32, given: CorruptionInput) -> Float32:
    return image * (np.float32(1.0) + np.float32(given.physical["relative_spread"]) * given.normal(image.shape))


SPECKLE = Corruption("speckle", _("Speckle"), "scan", _act)
