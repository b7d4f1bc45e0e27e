"""The plain network: class probabilities of one pass, whose entropy is the doubt."""

from __future__ import annotations

from collections.abc import Iterator

from ..engine import Engine
from ..heads import Head
from .averaged_engine import AveragedEngine
from .averaged_engine import Float32
from .averaged_engine import class_probability


def single_pass(engine: Engine, head: Head) -> AveragedEngine:
    """One pass; an evidential head gives its expected probabilities alpha / S."""

    def probabilities(windows: Float32) -> Iterator[Float32]:
        yield class_probability(engine.logits(windows), head)

    return AveragedEngine(engine, "softmax", 1, probabilities)
