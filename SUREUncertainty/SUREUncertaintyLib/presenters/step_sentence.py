"""What a step of a series, a sample or a frame is, in words."""

from __future__ import annotations

from ..core.rounding import decimals
from ..core.translation import Translate
from ..mrml.steps import Steps
from . import texts


def step_sentence(steps: Steps, number: int, translate: Translate = str) -> str:
    """The step; of a sample its own number, its place from the smallest to the largest, and its volume."""
    value, count, volume = steps.value(number), steps.count, decimals(steps.volume_ml(number))
    if volume:
        return translate(texts.SAMPLE_STEP).format(value=value, rank=number + 1, count=count, volume=volume)
    return translate(texts.STEP_NAMES[steps.kind]).format(value=value, count=count)
