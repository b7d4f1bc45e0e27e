"""Rician noise, that of magnitude MR images: sqrt((x + s n1)^2 + (s n2)^2).

(Gudbjartsson and Patz, Magn Reson Med 34:910, 1995.) E[x'^2] = x^2 + 2 s^2. A background that is exactly zero was
masked by somebody and stays zero.
"""

from __future__ import annotations

import numpy as np

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32, NotApplicable
from .scan_noise import estimate_noise, foreground_mean_and_sd


def _act(image: Float32, given: CorruptionInput) -> Float32:
    if float(image.min()) < 0.0:
        raise NotApplicable(
            "Rician noise belongs to magnitude MR images, and this scan has values below zero. Choose gaussian."
        )
    if "noise_multiples" in given.physical:
        spread = np.float32(given.physical["noise_multiples"] * estimate_noise(image))
    else:
        spread = np.float32(given.physical["spread"] * foreground_mean_and_sd(image)[1])
    real = image + spread * given.normal(image.shape)
    imaginary = spread * given.normal(image.shape, "imaginary")
    return np.where(image != 0, np.hypot(real, imaginary), np.float32(0.0))


RICIAN = Corruption("rician", _("Rician noise"), "scan", _act)
