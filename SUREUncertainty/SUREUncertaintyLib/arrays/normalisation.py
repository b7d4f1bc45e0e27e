"""Intensity normalisation, one function for training and use.

Settings are what a package's ``normalisation`` field holds:

- ``{"kind": "zscore"}``: (x - mean) / standard deviation of the given array. Options: ``"clip_percentiles": [low,
  high]`` clips to these percentiles first; ``"mask": "nonzero"`` takes statistics from voxels that are not 0 and
  leaves the others at 0.
- ``{"kind": "range", "low": .., "high": ..}``: clipped to low..high, then scaled to 0..1.
- ``{"kind": "minmax"}``: scaled to 0..1 by the array's own extremes.

Any of them with ``"per_slice": true`` treats every plane of the array's first axis on its own.

A constant array becomes all zeros. Statistics are float64 and read the array plane by plane, so that no second
volume is made for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import PackageError

KINDS = ("zscore", "range", "minmax")
Float32 = NDArray[np.float32]


def normalise(array: NDArray[Any], settings: Mapping[str, Any], overwrite: bool = False) -> Float32:
    """The array as the network wants it.

    Args:
        array: any shape with at least one axis, any real type, one channel.
        settings: see the module's description.
        overwrite: a float32 array may be changed in place instead of being copied.

    Returns:
        float32, same shape.

    Raises:
        PackageError: unknown settings.
    """
    check_settings(settings)
    if settings.get("per_slice"):
        plain = {name: value for name, value in settings.items() if name != "per_slice"}
        return np.stack([normalise(plane[np.newaxis], plain)[0] for plane in array])
    out = np.array(array, dtype=np.float32, order="C", copy=None if overwrite else True)
    if settings["kind"] == "zscore":
        return _zscore(array, out, settings)
    if settings["kind"] == "range":
        return _to_unit(out, float(settings["low"]), float(settings["high"]))
    return _to_unit(out, float(array.min()), float(array.max()))


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raise ``PackageError`` for a normalisation that this version does not know."""
    kind = settings.get("kind")
    if kind not in KINDS:
        raise PackageError(f"The package asks for the normalisation {kind!r}. Known are: {', '.join(KINDS)}.")
    if kind == "range" and not float(settings.get("low", 0.0)) < float(settings.get("high", 0.0)):
        raise PackageError("The normalisation 'range' needs 'low' and 'high' with low < high.")
    if settings.get("mask") not in (None, "nonzero"):
        raise PackageError(f"The normalisation mask {settings['mask']!r} is unknown; only 'nonzero' is.")
    low, high = settings.get("clip_percentiles") or (0.0, 100.0)
    if not 0.0 <= float(low) < float(high) <= 100.0:
        raise PackageError(f"clip_percentiles must be two numbers in 0..100, low first; got {low}, {high}.")


def mean_and_std(array: NDArray[Any], nonzero: bool = False) -> tuple[float, float]:
    """Mean and population standard deviation of (k, j, i) in float64, plane by plane; (0, 0) when nothing counts."""
    planes = [array] if array.ndim == 1 else array
    count, total = 0, 0.0
    for plane in planes:
        values = plane[plane != 0] if nonzero else plane
        count += values.size
        total += float(np.sum(values, dtype=np.float64))
    if count == 0:
        return 0.0, 0.0
    mean, squares = total / count, 0.0
    for plane in planes:
        values = plane[plane != 0] if nonzero else plane
        squares += float(np.sum((values.astype(np.float64) - mean) ** 2))
    return mean, float(np.sqrt(squares / count))


def _zscore(array: NDArray[Any], out: Float32, settings: Mapping[str, Any]) -> Float32:
    nonzero = settings.get("mask") == "nonzero"
    keep_zero = (array == 0) if nonzero else None
    if settings.get("clip_percentiles"):
        values = out[out != 0] if nonzero else out
        if values.size:
            low, high = np.percentile(values, settings["clip_percentiles"])
            np.clip(out, low, high, out=out)
    if keep_zero is not None:
        out[keep_zero] = 0.0
    mean, std = mean_and_std(out, nonzero)
    out -= np.float32(mean)
    out *= np.float32(1.0 / std if _is_spread(mean, std) else 0.0)
    if keep_zero is not None:
        out[keep_zero] = 0.0
    return out


def _is_spread(mean: float, std: float) -> bool:
    """Whether the spread is more than the rounding of a constant in float32."""
    return std > 1e-6 * abs(mean) and std > 0.0


def _to_unit(out: Float32, low: float, high: float) -> Float32:
    """Clip to low..high and scale to 0..1; zeros when there is no range."""
    np.clip(out, low, high, out=out)
    out -= np.float32(low)
    out *= np.float32(1.0 / (high - low) if high > low else 0.0)
    return out
