"""Contrast: brightness scaled to 0..1 by the scan's own extremes, to the power of gamma, and back.

Whether gamma is below or above 1 is drawn once a case.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32


def _draw(generator: np.random.Generator, spacing: tuple[float, float, float]) -> dict[str, Any]:
    return {"sign": int(generator.choice((-1, 1)))}


def _act(image: Float32, given: CorruptionInput) -> Float32:
    low, high = float(image.min()), float(image.max())
    if high == low:
        return image.copy()
    gamma = 2.0 ** (given.drawn["sign"] * given.physical["octaves"])
    unit = (image - np.float32(low)) / np.float32(high - low)
    return np.asarray(unit**gamma * np.float32(high - low) + np.float32(low), dtype=np.float32)


GAMMA = Corruption("gamma", _("Gamma (contrast)"), "scan", _act, _draw)
