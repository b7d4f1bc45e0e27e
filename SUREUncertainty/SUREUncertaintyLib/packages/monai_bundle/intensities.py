"""MONAI's transforms of intensities as steps of a pipeline."""

from __future__ import annotations

from collections.abc import Callable

from ..pipeline import ChannelNormalisation
from .steps import Step

DTYPES = ("float32", None)
READ_HERE = ("nonzero", "channel_wise", "subtrahend", "divisor")


def intensity_steps(step: Step, channels: int) -> tuple[ChannelNormalisation, ...] | None:
    """What a transform does to every channel; None for one that does not touch intensities.

    Args:
        channels: of the image; statistics over several channels together are refused.

    Raises:
        PackageError: an option that works differently here.
    """
    reader = READERS.get(step.name)
    return None if reader is None else reader(step, channels)


def _range(step: Step, channels: int) -> tuple[ChannelNormalisation, ...]:
    step.allow("a_min", "a_max", "b_min", "b_max", "clip", dtype=DTYPES)
    low, high = step.number("a_min"), step.number("a_max")
    if low == high:
        step.refuse("a_max")
    to_low, to_high = step.number("b_min"), step.number("b_max")
    clip = step.truth("clip")
    return (ChannelNormalisation("range", low=low, high=high, to_low=to_low, to_high=to_high, clip=clip),)


def _extremes(step: Step, channels: int) -> tuple[ChannelNormalisation, ...]:
    step.allow("minv", "maxv", "channel_wise", factor=(None,), dtype=DTYPES)
    _each_channel(step, channels)
    return (ChannelNormalisation("extremes", to_low=step.number("minv", 0.0), to_high=step.number("maxv", 1.0)),)


def _standardise(step: Step, channels: int) -> tuple[ChannelNormalisation, ...]:
    step.allow(*READ_HERE, dtype=DTYPES)
    masked = step.truth("nonzero")
    mean, std = step.single("subtrahend"), step.single("divisor")
    if mean is None and std is None:
        _each_channel(step, channels)
        return (ChannelNormalisation("standardise", masked),)
    if mean is None or std is None:  # one of them from the image: no bundle was seen that does it
        step.refuse("subtrahend" if std is None else "divisor")
    return (ChannelNormalisation("shift", masked, mean=step_number(step, mean), std=step_number(step, std)),)


def step_number(step: Step, value: object) -> float:
    """A fixed mean or spread, the same for every channel."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        step.refuse("subtrahend")
        raise AssertionError
    return float(value)


def _percentiles(step: Step, channels: int) -> tuple[ChannelNormalisation, ...]:
    step.allow(
        "lower", "upper", "channel_wise", sharpness_factor=(None,), return_clipping_values=(False,), dtype=DTYPES
    )
    _each_channel(step, channels)
    return (ChannelNormalisation("percentiles", low=step.number("lower"), high=step.number("upper")),)


def _each_channel(step: Step, channels: int) -> None:
    if channels > 1 and not step.truth("channel_wise"):
        step.refuse("channel_wise")


READERS: dict[str, Callable[[Step, int], tuple[ChannelNormalisation, ...]]] = {
    "ScaleIntensityRange": _range,
    "ScaleIntensity": _extremes,
    "NormalizeIntensity": _standardise,
    "ClipIntensityPercentiles": _percentiles,
}
