"""From outputs to labels and probabilities: one class a voxel, or regions that paint over one another.

What goes back to the scan's grid are raw outputs, or probabilities: a reader made with ``activated`` takes the latter,
which ``activate`` makes. Such probabilities may be less than whole next to a crop, where they fade.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...analysis.members import ClassMembers, RegionMembers, region_labels
from ...arrays.heads import softmax
from ...core.labels import Label
from ...packages.metadata import PackageMetadata

Float32 = NDArray[np.float32]


class Reader(Protocol):
    """Reads what a network says about voxels."""

    def activate(self, logits: Float32) -> Float32:
        """What goes back to the scan's grid, (C, ...), from raw outputs; they may be overwritten."""
        ...

    def labels(self, channels: Float32) -> NDArray[np.uint8]:
        """Position (...) in the package's labels, background 0, from what ``activate`` gave (C, ...)."""
        ...

    def probability(self, channels: Float32) -> Float32:
        """The network's own probabilities (C, ...)."""
        ...

    def classes(self, probability: Float32) -> Float32:
        """Probability (number of labels, ...) that each label stands in the label map; sums to 1."""
        ...

    def sums(self, shape: Sequence[int]) -> ClassMembers | RegionMembers:
        """Running sums over members for a block (...)."""
        ...


class ClassReader:
    """Softmax: the channels are the package's labels in order."""

    def __init__(self, labels: Sequence[Label], activated: bool = False) -> None:
        self._count, self._activated = len(labels), activated

    def activate(self, logits: Float32) -> Float32:
        """See ``Reader``; plane by plane, so that no second volume is made."""
        if self._activated:
            for number in range(logits.shape[1]):
                logits[:, number] = softmax(logits[:, number])
        return logits

    def labels(self, channels: Float32) -> NDArray[np.uint8]:
        """See ``Reader``; of equal outputs the first one wins."""
        return channels.argmax(axis=0).astype(np.uint8)

    def probability(self, channels: Float32) -> Float32:
        """See ``Reader``; where nothing at all came back it is background."""
        if not self._activated:
            return softmax(channels)
        total = channels.sum(axis=0)
        found = channels / np.maximum(total, np.finfo(np.float32).tiny)
        found[0][total <= 0] = 1.0
        return np.asarray(found, dtype=np.float32)

    def classes(self, probability: Float32) -> Float32:
        """The channels are the classes."""
        return probability

    def sums(self, shape: Sequence[int]) -> ClassMembers:
        """See ``Reader``."""
        return ClassMembers((self._count, *shape))


class RegionReader:
    """Sigmoids: a channel with P > 0.5 paints its label over those of a lower rank.

    As a distribution over labels, the regions are taken as independent: a label stands where its region holds and none
    that paints later does.
    """

    def __init__(
        self, labels: Sequence[Label], values: Sequence[int], ranks: Sequence[int] = (), activated: bool = False
    ) -> None:
        """``values``: the label value that each channel paints; ``ranks``: of the channels, as they come if empty."""
        positions = {label.value: position for position, label in enumerate(labels)}
        self._channels = np.argsort(ranks or range(len(values)), kind="stable")
        self._order = [positions[values[channel]] for channel in self._channels]
        self._count, self._activated = len(labels), activated

    def activate(self, logits: Float32) -> Float32:
        """See ``Reader``."""
        return _sigmoid(logits) if self._activated else logits

    def labels(self, channels: Float32) -> NDArray[np.uint8]:
        """See ``Reader``."""
        return region_labels(self.probability(channels), self._order)

    def probability(self, channels: Float32) -> Float32:
        """See ``Reader``; in the order in which they paint."""
        painting = channels[self._channels]
        return painting if self._activated else _sigmoid(painting)

    def classes(self, probability: Float32) -> Float32:
        """See ``Reader``."""
        found = np.zeros((self._count, *probability.shape[1:]), dtype=np.float32)
        left = np.ones(probability.shape[1:], dtype=np.float32)
        for position, channel in zip(reversed(self._order), probability[::-1], strict=True):
            found[position] += left * channel
            left *= 1.0 - channel
        found[0] += left
        return found

    def sums(self, shape: Sequence[int]) -> RegionMembers:
        """See ``Reader``."""
        return RegionMembers((len(self._order), *shape))


def _sigmoid(logits: Float32) -> Float32:
    """1 / (1 + e^-x), both signs without overflow."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1.0 / (1.0 + small), small / (1.0 + small)).astype(np.float32)


def reader_of(metadata: PackageMetadata, activated: bool | None = None) -> Reader:
    """The reader for a package with a pipeline; ``activated`` where it is to read something else than the package's."""
    pipeline = metadata.pipeline
    if activated is None:
        activated = pipeline is not None and pipeline.read_on != "logits"
    if pipeline is not None and pipeline.regions:
        values, ranks = [one.value for one in pipeline.regions], [one.rank for one in pipeline.regions]
        return RegionReader(metadata.labels, values, ranks, activated)
    return ClassReader(metadata.labels, activated)
