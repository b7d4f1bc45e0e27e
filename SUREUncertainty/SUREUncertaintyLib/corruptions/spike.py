"""Spike in k-space of MR: one point of the spectrum is far too strong, which lays a wave of stripes over the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32
from .scan_noise import foreground_mean_and_sd

FREQUENCIES = (0.08, 0.35)
"""Cycles a voxel: stripes of about 3 to 12 voxels."""


def _draw(generator: np.random.Generator, spacing: tuple[float, float, float]) -> dict[str, Any]:
    direction = generator.standard_normal(3)
    frequency = generator.uniform(*FREQUENCIES)
    return {
        "wave_vector": (direction / np.linalg.norm(direction) * frequency).tolist(),
        "phase": float(generator.uniform(0.0, 2.0 * np.pi)),
    }


def _act(image: Float32, given: CorruptionInput) -> Float32:
    amplitude = given.physical["amplitude"] * foreground_mean_and_sd(image)[1]
    k, j, i = (np.arange(count) * f for count, f in zip(image.shape, given.drawn["wave_vector"], strict=True))
    cycles = np.add.outer(np.add.outer(k, j), i)
    return image + (amplitude * np.cos(2.0 * np.pi * cycles + given.drawn["phase"])).astype(np.float32)


SPIKE = Corruption("spike", _("Spike in k-space"), "scan", _act, _draw)
