"""Salt and pepper: single voxels jump to the brightest or darkest value of the scan; stronger ones include weaker."""

from __future__ import annotations

import numpy as np

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32


def _act(image: Float32, given: CorruptionInput) -> Float32:
    chance, half = given.uniform(image.shape), given.physical["fraction"] / 2.0
    out = np.where(chance < half, image.min(), image)
    return np.where(chance > 1.0 - half, image.max(), out)


SALT_AND_PEPPER = Corruption("salt_and_pepper", _("Salt and pepper"), "scan", _act)
