"""From logits to labels and probabilities: one class a voxel, or regions that paint over one another."""

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

    def labels(self, logits: Float32) -> NDArray[np.uint8]:
        """Position (...) in the package's labels, background 0, from logits (C, ...)."""
        ...

    def probability(self, logits: Float32) -> Float32:
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

    def __init__(self, labels: Sequence[Label]) -> None:
        self._count = len(labels)

    def labels(self, logits: Float32) -> NDArray[np.uint8]:
        """See ``Reader``; of equal logits the first one wins."""
        return logits.argmax(axis=0).astype(np.uint8)

    def probability(self, logits: Float32) -> Float32:
        """See ``Reader``."""
        return softmax(logits)

    def classes(self, probability: Float32) -> Float32:
        """The channels are the classes."""
        return probability

    def sums(self, shape: Sequence[int]) -> ClassMembers:
        """See ``Reader``."""
        return ClassMembers((self._count, *shape))


class RegionReader:
    """Sigmoids: channel r with P > 0.5 paints its label over those before it.

    As a distribution over labels, the regions are taken as independent: a label stands where its region holds and none
    that paints later does.
    """

    def __init__(self, labels: Sequence[Label], values: Sequence[int]) -> None:
        """``values``: the label value that each channel paints."""
        positions = {label.value: position for position, label in enumerate(labels)}
        self._order = [positions[value] for value in values]
        self._count = len(labels)

    def labels(self, logits: Float32) -> NDArray[np.uint8]:
        """See ``Reader``."""
        return region_labels(self.probability(logits), self._order)

    def probability(self, logits: Float32) -> Float32:
        """See ``Reader``; both signs without overflow."""
        small = np.exp(-np.abs(logits))
        return np.where(logits >= 0, 1.0 / (1.0 + small), small / (1.0 + small)).astype(np.float32)

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


def reader_of(metadata: PackageMetadata) -> Reader:
    """The reader for a package with a pipeline."""
    regions = () if metadata.pipeline is None else metadata.pipeline.regions
    if regions:
        return RegionReader(metadata.labels, [region.value for region in regions])
    return ClassReader(metadata.labels)
