"""Motion ghosting of MR: the patient moves periodically while the lines of k-space are read one after the other.

Line f is read at a displacement d(f) = a sin(2 pi line / period + phase) along the phase-encoding axis, which turns
its phase by 2 pi f d: ghosts appear beside the body. The centre line is read at rest, so the mean brightness stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32

PERIODS = (3.0, 8.0)


def _draw(generator: np.random.Generator, spacing: tuple[float, float, float]) -> dict[str, Any]:
    return {
        "axis": int(generator.integers(3)),
        "period_lines": float(generator.uniform(*PERIODS)),
        "phase": float(generator.uniform(0.0, 2.0 * np.pi)),
    }


def _act(image: Float32, given: CorruptionInput) -> Float32:
    from scipy.fft import fft, fftfreq, ifft

    axis, count = given.drawn["axis"], image.shape[given.drawn["axis"]]
    lines = np.rint(fftfreq(count) * count)
    amplitude = given.physical["amplitude_mm"] / given.spacing[axis]
    displacement = amplitude * np.sin(2.0 * np.pi * lines / given.drawn["period_lines"] + given.drawn["phase"])
    turn = np.exp(-2j * np.pi * fftfreq(count) * displacement).astype(np.complex64)
    shape = [1] * image.ndim
    shape[axis] = count
    moved = ifft(fft(image, axis=axis) * turn.reshape(shape), axis=axis)
    # a magnitude image has no sign; a scan with values below zero is none
    return np.asarray(np.abs(moved) if float(image.min()) >= 0.0 else moved.real, dtype=np.float32)


GHOSTING = Corruption("ghosting", _("Motion ghosting"), "scan", _act, _draw)
