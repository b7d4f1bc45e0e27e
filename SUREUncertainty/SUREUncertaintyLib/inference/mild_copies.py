"""How far a region's answer holds when its image is mildly disturbed: two more runs of the network, on request.

Everything happens on the model's grid, so that nothing but the network's answer can differ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..arrays.heads import Head
from ..metrics.overlap import dice

NOISE_SPREAD = 0.15
"""Of the noise, over the spread of the image."""
BLUR_MM = 0.75
"""Sigma; in voxels for a model that works in pixels."""
SEED = 7

Float32 = NDArray[np.float32]
Run = Callable[[Float32], Float32]
Agreements = dict[str, tuple[float, float, float]]


def noisy_copy(image: Float32) -> Float32:
    """The image (1, k, j, i) with Gaussian noise, the same for the same shape."""
    noise = np.random.default_rng(SEED).standard_normal(image.shape, np.float32)
    return image + noise * np.float32(NOISE_SPREAD * float(image.std(dtype=np.float64)))


def blurred_copy(image: Float32, spacing: tuple[float, float, float] | None) -> Float32:
    """The image (1, k, j, i), smoothed; ``spacing``: mm along (k, j, i), None in pixels, where slices stay apart."""
    from scipy import ndimage

    sigma = (0.0, BLUR_MM, BLUR_MM) if spacing is None else tuple(BLUR_MM / side for side in spacing)
    return np.asarray(ndimage.gaussian_filter(image, (0.0, *sigma)), np.float32)


def agreements(
    image: Float32, channels: Float32, run: Run, head: Head, spacing: tuple[float, float, float] | None
) -> list[tuple[float, float, float]]:
    """Dice of each foreground class between the answer and that to a noisy copy, to a blurred copy, and of the two.

    Args:
        image: (1, k, j, i), normalised. channels: the answer to it, (C, k, j, i), as ``run`` gives it.

    Returns:
        One triple a foreground class; NaN where both answers are without it.
    """
    answers = [_labels(blended, head) for blended in (run(noisy_copy(image)), run(blurred_copy(image, spacing)))]
    noisy, blurred = answers
    own = _labels(channels, head)
    return [
        (
            dice(own == value, noisy == value),
            dice(own == value, blurred == value),
            dice(noisy == value, blurred == value),
        )
        for value in range(1, head.classes(len(channels)))
    ]


def _labels(channels: Float32, head: Head) -> NDArray[np.intp]:
    return np.asarray(head.belief(channels).winners)
