"""Brightness shift: the same number added to every voxel of the normalised input, a noise of mean m and no spread.

On the raw intensities it would do nothing, because the normalisation removes it. Networks with instance norm are
nearly blind to it.
"""

from __future__ import annotations

import numpy as np

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32


def _act(image: Float32, given: CorruptionInput) -> Float32:
    return image + np.float32(given.physical["shift"])


BRIGHTNESS = Corruption("brightness", _("Brightness shift"), "input", _act)
