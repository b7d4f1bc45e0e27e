"""A smaller field of view, as another protocol or an anonymised crop has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays.normalisation import normalise

WHOLE_STRUCTURE = 0.75
"""How often the field holds the structure whole; else it lies anywhere, and may hold none of it."""


def smaller_field(
    image: NDArray[np.float32],
    label: NDArray[Any],
    shares: tuple[float, float],
    normalisation: Mapping[str, Any],
    generator: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """A block of image and label whose sides are a random share of theirs, normalised anew as a scan of its own.

    Args:
        image, label: arrays of one shape, one axis or more.
        shares: lowest and highest share of a side.

    Returns:
        Image and label of the block.
    """
    inside = np.argwhere(label > 0) if generator.random() < WHOLE_STRUCTURE else np.zeros((0, label.ndim), int)
    block = []
    for axis, length in enumerate(label.shape):
        first, last = (int(inside[:, axis].min()), int(inside[:, axis].max()) + 1) if len(inside) else (0, 0)
        size = max(last - first, round(length * generator.uniform(*shares)))
        lowest, highest = (max(0, last - size), min(first, length - size)) if len(inside) else (0, length - size)
        start = int(generator.integers(lowest, highest + 1))
        block.append(slice(start, start + size))
    cut = image[tuple(block)]
    settings = {name: value for name, value in normalisation.items() if name != "per_slice"}
    return normalise(cut, settings), label[tuple(block)]
