"""Several passes behind the call of one engine: whatever runs a package can then run an estimator.

The passes' class probabilities are averaged (never their logits) and handed on as logarithms, which the softmax head
turns into the same probabilities again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arrays.heads import Head, class_probability
from ..engine import Engine, unfactored

Float32 = NDArray[np.float32]
Passes = Callable[[Float32], Iterator[Float32]]
"""Windows (B, channels, ...) to the class probabilities (B, C, ...) of one pass after the other."""


@dataclass(frozen=True, eq=False)
class AveragedEngine:
    """An engine whose answer is the mean over passes.

    Attributes:
        base: the engine that runs the passes, or the first of several.
        estimator: name of the estimator; passes: how many runs of a network a window costs.
        probabilities: makes the passes.
        seed: of what is drawn, None where nothing is.
    """

    base: Engine
    estimator: str
    passes: int
    probabilities: Passes
    seed: int | None = None
    scales: bool = False

    @property
    def name(self) -> str:
        """``"torch"`` or ``"openvino"``."""
        return self.base.name

    @property
    def device(self) -> str:
        """Where it runs."""
        return self.base.device

    @property
    def threads(self) -> int | None:
        """CPU threads, where the engine says it."""
        return self.base.threads

    @property
    def version(self) -> str:
        """Of the library that computes."""
        return self.base.version

    @property
    def precision(self) -> str:
        """Of the arithmetic."""
        return self.base.precision

    def factored(self, windows: Float32) -> tuple[Float32, Float32]:
        """The averaged logits; what a head did to those of single passes is part of them."""
        return unfactored(self.logits(windows))

    def logits(self, windows: Float32) -> Float32:
        """Logarithm of the mean class probability (B, C, ...), float32."""
        total: Float32 | None = None
        for probability in self.probabilities(windows):
            total = probability.copy() if total is None else np.add(total, probability, out=total)
        if total is None:
            raise ValueError("an estimator needs at least one pass")
        total /= np.float32(self.passes)
        return np.log(np.maximum(total, np.finfo(np.float32).tiny))


def single_pass(engine: Engine, head: Head) -> AveragedEngine:
    """One pass; an evidential head gives its expected probabilities alpha / S."""

    def probabilities(windows: Float32) -> Iterator[Float32]:
        yield class_probability(engine.logits(windows), head)

    return AveragedEngine(engine, "softmax", 1, probabilities)
