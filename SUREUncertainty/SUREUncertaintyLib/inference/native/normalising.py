"""Intensities as nnU-Net's normalisation schemes and MONAI's transforms make them, in float32."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...packages.pipeline import ChannelNormalisation

Float32 = NDArray[np.float32]
LEAST_STD = 1e-8
RGB_LARGEST = 255.0


def normalise_channel(
    image: Float32, mask: NDArray[np.bool_], steps: Sequence[ChannelNormalisation], name: str
) -> None:
    """Normalise one channel (...) in place, step by step.

    Args:
        mask: voxels that are not zero, holes filled; for nnU-Net's masked z-score.
        name: of the channel, for the sentence.

    Raises:
        InputError: a colour channel with values outside 0..255.
    """
    for step in steps:
        if step.kind == "zscore":
            _zscore(image, mask if step.masked else np.ones_like(mask))
        elif step.kind == "ct":
            np.clip(image, step.low, step.high, out=image)
            image -= np.float32(step.mean)
            image /= np.float32(max(step.std, LEAST_STD))
        elif step.kind == "unit":
            image -= image.min()
            image /= max(image.max(), np.float32(LEAST_STD))
        elif step.kind == "rgb":
            _rgb(image, name)
        else:
            _monai(image, step)


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


def _monai(image: Float32, step: ChannelNormalisation) -> None:
    """One of the kinds that MONAI's transforms have."""
    if step.kind in ("standardise", "shift"):
        _standardise(image, step)
    elif step.kind == "range":
        _scale(image, step.low, step.high, step)
        if step.clip:
            np.clip(image, step.to_low, step.to_high, out=image)
    elif step.kind == "extremes":
        low, high = float(image.min()), float(image.max())
        if low == high:
            image *= np.float32(step.to_low)
        else:
            _scale(image, low, high, step)
    elif step.kind == "percentiles":
        low, high = np.percentile(image, [step.low, step.high])
        np.clip(image, low, high, out=image)
    elif step.kind == "sigmoid":
        image[...] = 0.5 * (1.0 + np.tanh(0.5 * image))
    elif step.kind == "tanh":
        image[...] = 3.0 * np.tanh(image / 3.0)


def _standardise(image: Float32, step: ChannelNormalisation) -> None:
    where = image != 0 if step.masked else np.ones(image.shape, dtype=bool)
    values = image[where]
    if not values.size:
        return
    mean, std = (step.mean, step.std) if step.kind == "shift" else _mean_and_std(values)
    image[where] = (values - np.float32(mean)) / np.float32(std or 1.0)


def _mean_and_std(values: Float32) -> tuple[float, float]:
    return float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))


def _scale(image: Float32, low: float, high: float, step: ChannelNormalisation) -> None:
    image -= np.float32(low)
    image /= np.float32(high - low)
    image *= np.float32(step.to_high - step.to_low)
    image += np.float32(step.to_low)
