"""Several outlines or probability maps of one scan as one: labels, uncertainty, ranges, agreement.

The label map is the class with the highest mean probability; outlines count as probabilities 0 and 1, so that it is
the class with most votes. Where two are equal the lower label value wins, background first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..analysis.agreement import PairCounts
from ..analysis.members import ClassMembers, MemberMaps, RegionMembers, region_labels, votes
from ..analysis.volume_range import VoxelRange
from ..core.errors import InputError
from ..packages.metadata import ENTROPY_THRESHOLD

Float32 = NDArray[np.float32]

SURE = 0.95
"""q of the volume range of a single probability map, P > q to P > 1 - q."""

SLAB_VALUES = 32 * 1024 * 1024
"""Voxels times classes that are counted at once."""


@dataclass(frozen=True, eq=False)
class Fused:
    """What members say together.

    Attributes:
        labels: uint8 (k, j, i). maps: each (k, j, i).
        ranges: voxel counts by label value.
        counts: of every pair of members; None for a single one.
        regions: bool masks by label value where regions may overlap, which the label map cannot show.
        tied: voxels in which two labels had equally many votes.
    """

    labels: NDArray[np.uint8]
    maps: MemberMaps
    ranges: Mapping[int, VoxelRange]
    counts: PairCounts | None
    regions: Mapping[int, NDArray[np.bool_]] = field(default_factory=dict)
    tied: int = 0


def threshold_of(classes: int, regions: bool) -> float:
    """Normalised entropy from which a voxel is uncertain: half a bit, as of two classes at P = 0.89, for any C.

    With C classes the same half a bit is a smaller share of ln C. A region is a yes or no, whatever their number.
    """
    return ENTROPY_THRESHOLD if regions else ENTROPY_THRESHOLD * math.log(2) / math.log(classes)


class Fusion(Protocol):
    """Adds probability maps up, one at a time; of each only its labels stay."""

    def add(self, probability: Float32) -> NDArray[np.uint8]:
        """Count one map (C, k, j, i), and return its own label map (k, j, i)."""
        ...

    def fused(self) -> Fused:
        """All maps so far; the volume range is theirs, or that of P for a single one."""
        ...


def fusion_of(values: Sequence[int], regions: bool) -> Fusion:
    """For channels with these label values, background left out; regions paint in this order."""
    return RegionFusion(values) if regions else ClassFusion(values)


class ClassFusion:
    """Maps whose channels are background and then the classes of ``values``; keeps a byte a voxel and map."""

    def __init__(self, values: Sequence[int]) -> None:
        self._values = tuple(values)
        self._sums: ClassMembers | None = None
        self._labels: list[NDArray[np.uint8]] = []
        self._ranges: dict[int, VoxelRange] = {}

    def add(self, probability: Float32) -> NDArray[np.uint8]:
        """Count one map (C, k, j, i), and return its own label map (k, j, i)."""
        self._sums = self._sums or ClassMembers(probability.shape)
        self._sums.add(probability)
        self._ranges = probable_ranges(probability[1:], self._values)
        self._labels.append(probability.argmax(axis=0).astype(np.uint8))
        return self._labels[-1]

    def fused(self) -> Fused:
        """All maps so far."""
        assert self._sums is not None
        counts = self._counts() if len(self._labels) > 1 else None
        ranges = self._ranges if counts is None else counts.ranges()
        return Fused(self._sums.labels().astype(np.uint8), self._sums.maps(), ranges, counts)

    def _counts(self) -> PairCounts:
        counts = PairCounts(len(self._labels), self._values)
        for slab in _slabs(self._labels[0].shape, 8):
            counts.add_labels([labels[slab] for labels in self._labels])
        return counts


class RegionFusion:
    """Maps whose channels are regions that may overlap; keeps a byte a voxel, region and map."""

    def __init__(self, values: Sequence[int]) -> None:
        self._values = tuple(values)
        self._sums: RegionMembers | None = None
        self._masks: list[NDArray[np.bool_]] = []
        self._ranges: dict[int, VoxelRange] = {}

    def add(self, probability: Float32) -> NDArray[np.uint8]:
        """Count one map (R, k, j, i), and return its own label map (k, j, i)."""
        self._sums = self._sums or RegionMembers(probability.shape)
        self._sums.add(probability)
        self._ranges = probable_ranges(probability, self._values)
        self._masks.append(probability > 0.5)
        return region_labels(probability, self._values)

    def fused(self) -> Fused:
        """All maps so far."""
        assert self._sums is not None
        counts = None
        if len(self._masks) > 1:
            counts = PairCounts(len(self._masks), self._values)
            counts.add_regions(self._masks)
        mean = self._sums.mean()
        regions = {value: channel > 0.5 for value, channel in zip(self._values, mean, strict=True)}
        ranges = self._ranges if counts is None else counts.ranges()
        return Fused(region_labels(mean, self._values), self._sums.maps(), ranges, counts, regions)


def probable_ranges(channels: Float32, values: Sequence[int]) -> dict[int, VoxelRange]:
    """Voxels with P > 0.95 and P > 0.05 of each structure; ``channels`` (len(values), k, j, i)."""
    limits = (np.float32(SURE), np.float32(1.0 - SURE))
    counted = [[int(np.count_nonzero(channel > limit)) for limit in limits] for channel in channels]
    return {value: VoxelRange(*pair) for value, pair in zip(values, counted, strict=True)}


def fuse_masks(masks: Sequence[NDArray[np.uint8]], values: Sequence[int]) -> Fused:
    """Votes of label maps (k, j, i) that hold only ``values`` and 0, slab by slab."""
    classes = (0, *sorted(values))
    labels = np.zeros(masks[0].shape, np.uint8)
    entropy = np.zeros(masks[0].shape, np.float32)
    counts = PairCounts(len(masks), tuple(values))
    tied = 0
    for slab in _slabs(masks[0].shape, len(classes)):
        sums = ClassMembers((len(classes), *labels[slab].shape))
        for mask in masks:
            sums.add(votes(mask[slab], classes))
        labels[slab] = np.array(classes, np.uint8)[sums.labels()]
        entropy[slab] = sums.maps().entropy
        tied += _ties(sums.mean())
        counts.add_labels([mask[slab] for mask in masks])
    maps = MemberMaps(entropy, np.zeros_like(entropy), entropy)
    return Fused(labels, maps, counts.ranges(), counts, tied=tied)


def require_alike(name: str, shape: Sequence[int], first: str, first_shape: Sequence[int]) -> None:
    """Raise ``InputError`` for a probability map of another number of classes than the first one."""
    if shape[0] != first_shape[0]:
        raise InputError(
            f"{first} holds {first_shape[0]} classes, but {name} holds {shape[0]}. "
            "Give maps of the same classes in the same order."
        )


def _ties(mean: Float32) -> int:
    """Voxels in which the two largest shares of votes (C, ...) are equal."""
    first, second = np.partition(mean, len(mean) - 2, axis=0)[:-3:-1]
    return int(np.count_nonzero(first == second))


def _slabs(shape: Sequence[int], classes: int) -> list[slice]:
    depth = max(1, SLAB_VALUES // (classes * shape[1] * shape[2]))
    return [slice(first, first + depth) for first in range(0, shape[0], depth)]
