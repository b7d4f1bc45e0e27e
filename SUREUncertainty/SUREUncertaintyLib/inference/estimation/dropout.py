"""Monte Carlo dropout (Gal and Ghahramani, ICML 2016): dropout layers stay on, and the passes are averaged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...arrays.heads import Head, class_probability
from ...core.errors import InputError, PackageError
from ..engine import Engine
from ..torch_engine import TorchEngine
from .averaged_engine import AveragedEngine, Float32

if TYPE_CHECKING:
    from ...packages.package import Package

PASSES = 20


def monte_carlo_dropout(
    package: Package, engine: Engine, head: Head, seed: int, passes: int = PASSES
) -> AveragedEngine:
    """``passes`` passes; pass k drops the same units in every window of a size, so that windows fit together.

    Raises:
        InputError: fewer than one pass, or another engine than torch: exported graphs hold no dropout layers.
        PackageError: the network has no dropout layer.
    """
    if passes < 1:
        raise InputError(f"The number of dropout passes must be 1 or more, not {passes}.")
    if not isinstance(engine, TorchEngine):
        raise InputError("The estimator 'dropout' runs on the torch engine only. Choose --engine torch.")
    if not engine.has_dropout:
        raise PackageError(
            f"The network of '{package.metadata.name}' has no dropout layer, so that all passes would be alike. "
            "Choose another estimator, or train the network with dropout."
        )

    def probabilities(windows: Float32) -> Iterator[Float32]:
        for number in range(passes):
            yield class_probability(engine.dropout_logits(windows, seed * passes + number), head)

    return AveragedEngine(engine, "dropout", passes, probabilities, seed)
