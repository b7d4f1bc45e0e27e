"""Intensities as nnU-Net's normalisation schemes make them, in float32 and before resampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...packages.pipeline import ChannelNormalisation

Float32 = NDArray[np.float32]
LEAST_STD = 1e-8
RGB_LARGEST = 255.0


def normalise_channel(image: Float32, mask: NDArray[np.bool_], settings: ChannelNormalisation, name: str) -> None:
    """Normalise one cropped channel (...) in place.

    Args:
        mask: voxels that are not zero, holes filled; used where the settings say ``masked``.
        name: of the channel, for the sentence.

    Raises:
        InputError: a colour channel with values outside 0..255.
    """
    if settings.kind == "zscore":
        _zscore(image, mask if settings.masked else np.ones_like(mask))
    elif settings.kind == "ct":
        np.clip(image, settings.low, settings.high, out=image)
        image -= np.float32(settings.mean)
        image /= np.float32(max(settings.std, LEAST_STD))
    elif settings.kind == "unit":
        image -= image.min()
        image /= max(image.max(), np.float32(LEAST_STD))
    elif settings.kind == "rgb":
        _rgb(image, name)


def _zscore(image: Float32, mask: NDArray[np.bool_]) -> None:
    values = image[mask]
    if values.size:
        mean, std = values.mean(), max(values.std(), np.float32(LEAST_STD))
        image[mask] = (values - mean) / std


def _rgb(image: Float32, name: str) -> None:
    low, high = float(image.min()), float(image.max())
    if low < 0.0 or high > RGB_LARGEST:
        raise InputError(
            f"The channel '{name}' must hold colour values from 0 to 255, but its values run from {low:g} to {high:g}. "
            "Choose the image that the model was trained for."
        )
    image /= np.float32(RGB_LARGEST)
