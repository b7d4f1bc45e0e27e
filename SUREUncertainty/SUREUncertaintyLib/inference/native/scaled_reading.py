"""Reads a network of another program under the factor of a fitted head; its label map stays its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...analysis.members import ClassMembers, RegionMembers
from ...packages.metadata import PackageMetadata
from ..engine import Engine
from .reading import Reader, reader_of

Float32 = NDArray[np.float32]
LEAST = np.float32(1e-7)


class ScaledReader:
    """Channels are those of the package's own reader, and ln of a factor on the logits behind them."""

    def __init__(self, own: Reader, on_logits: Reader, activated: bool, regions: bool) -> None:
        """``on_logits`` reads raw outputs; ``activated``: ``own`` takes probabilities; ``regions``: sigmoids."""
        self._own, self._on_logits = own, on_logits
        self._activated, self._regions = activated, regions

    def activate(self, logits: Float32) -> Float32:
        """See ``Reader``; ln of the factor goes back as it is."""
        logits[:-1] = self._own.activate(logits[:-1])
        return logits

    def labels(self, channels: Float32) -> NDArray[np.uint8]:
        """See ``Reader``; the factor has no say."""
        return self._own.labels(channels[:-1])

    def probability(self, channels: Float32) -> Float32:
        """See ``Reader``; under the factor."""
        return self._on_logits.probability(self._logits(channels[:-1]) * np.exp(channels[-1]))

    def classes(self, probability: Float32) -> Float32:
        """See ``Reader``."""
        return self._own.classes(probability)

    def sums(self, shape: Sequence[int]) -> ClassMembers | RegionMembers:
        """See ``Reader``."""
        return self._own.sums(shape)

    def _logits(self, channels: Float32) -> Float32:
        """Raw outputs (C, ...) but for a constant, from what went back to the scan's grid."""
        if not self._activated:
            return channels
        if self._regions:
            inside = np.clip(channels, LEAST, 1 - LEAST)
            return np.log(inside / (1 - inside))
        return np.log(np.maximum(self._own.probability(channels), np.finfo(np.float32).tiny))


def reader_for(metadata: PackageMetadata, engine: Engine) -> Reader:
    """The reader of a package with a pipeline for what an engine says."""
    own = reader_of(metadata)
    pipeline = metadata.pipeline
    if not engine.scales or pipeline is None:
        return own
    on_logits = reader_of(metadata, activated=False)
    return ScaledReader(own, on_logits, pipeline.read_on != "logits", bool(pipeline.regions))
