"""The plain network: class probabilities of one pass, whose entropy is the uncertainty."""

from __future__ import annotations

from collections.abc import Iterator

from ...arrays.heads import Head, class_probability
from ..engine import Engine
from .averaged_engine import AveragedEngine, Float32


def single_pass(engine: Engine, head: Head) -> AveragedEngine:
    """One pass; an evidential head gives its expected probabilities alpha / S."""

    def probabilities(windows: Float32) -> Iterator[Float32]:
        yield class_probability(engine.logits(windows), head)

    return AveragedEngine(engine, "softmax", 1, probabilities)
