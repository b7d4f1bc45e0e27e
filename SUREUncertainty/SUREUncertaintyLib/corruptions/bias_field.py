"""Bias field, that of MR coils: brightness times a smooth factor, 2 to the power of a polynomial of degree three.

The polynomial of drawn coefficients has mean 0 over the scan and largest absolute value 1, so that the factor stays
within 2^-a and 2^a and reaches one of them.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.translation import tr as _
from .corruption import Corruption, CorruptionInput, Float32

DEGREE = 3
POWERS = tuple(p for p in product(range(DEGREE + 1), repeat=3) if 0 < sum(p) <= DEGREE)


def _draw(generator: np.random.Generator, spacing: tuple[float, float, float]) -> dict[str, Any]:
    return {"coefficients": generator.uniform(-1.0, 1.0, len(POWERS)).tolist()}


def _act(image: Float32, given: CorruptionInput) -> Float32:
    field = bias_polynomial(image.shape, given.drawn["coefficients"])
    return image * np.exp2(np.float32(given.physical["octaves"]) * field)


def bias_polynomial(shape: tuple[int, ...], coefficients: list[float]) -> NDArray[np.float32]:
    """The field (k, j, i), mean 0 and largest absolute value 1; zeros where the scan is one voxel."""
    axes = [np.linspace(-1.0, 1.0, count) if count > 1 else np.zeros(1) for count in shape]
    field = np.zeros(shape)
    for (a, b, c), coefficient in zip(POWERS, coefficients, strict=True):
        field += coefficient * np.multiply.outer(np.multiply.outer(axes[0] ** a, axes[1] ** b), axes[2] ** c)
    field -= field.mean()
    largest = float(np.abs(field).max())
    return (field / largest if largest else field).astype(np.float32)


BIAS_FIELD = Corruption("bias_field", _("Bias field"), "scan", _act, _draw)
