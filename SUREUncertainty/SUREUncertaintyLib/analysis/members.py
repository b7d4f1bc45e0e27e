"""What several members (folds, mirrored passes, readers) say about every voxel, added up one member at a time.

With p_m the probabilities of member m of M, p their mean and H the entropy in nats over C classes:

- ``entropy``  H(p) / ln C: all uncertainty of the mean;
- ``expected_entropy``  mean_m H(p_m) / ln C: what each member is uncertain about by itself;
- ``mutual_information``  (H(p) - mean_m H(p_m)) / ln C: what the members disagree about.

The last two add up to the first (Depeweg et al., ICML 2018; Houlsby et al., arXiv 1112.5745). All lie in 0..1;
M members cannot disagree by more than ln M, so with fewer members than classes mutual information stays below 1.
Outlines are members with probabilities 0 and 1: their expected entropy is 0, and their mutual information is the
entropy of the votes.

Memory is one float32 volume a channel and one more, whatever the number of members. ``analysis.agreement`` compares
the members' label maps with each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True, eq=False)
class MemberMaps:
    """Uncertainty of M members, each (...) float32 in 0..1 as the file's head says."""

    entropy: Float32
    expected_entropy: Float32
    mutual_information: Float32


class ClassMembers:
    """Running sums over members whose channels are the classes of one softmax: they add up to 1 in every voxel."""

    def __init__(self, shape: Sequence[int]) -> None:
        """``shape``: (C, ...) of one member's probabilities, the whole volume or a slab of it; C >= 2."""
        if shape[0] < 2:
            raise ValueError(f"a member needs at least two classes, got shape {tuple(shape)}")
        self.count = 0
        self._sum = np.zeros(shape, dtype=np.float32)
        self._entropy = np.zeros(tuple(shape[1:]), dtype=np.float32)

    def add(self, probability: NDArray[Any]) -> None:
        """Count one member, (C, ...). The array is read, not kept."""
        _check_shape(probability, self._sum)
        self.count += 1
        self._sum += probability
        self._entropy += entropy_nats(probability)

    def mean(self) -> Float32:
        """Mean probability (C, ...)."""
        return self._sum / np.float32(_counted(self.count))

    def labels(self) -> NDArray[np.intp]:
        """Most probable class of the mean (...); of equally probable ones the first, so that a tie is background."""
        return self._sum.argmax(axis=0)

    def maps(self) -> MemberMaps:
        """The maps over all members so far. Raises ``ValueError`` when there is none."""
        count = np.float32(_counted(self.count))
        return _maps(entropy_nats(channel / count for channel in self._sum), self._entropy / count, len(self._sum))


class RegionMembers:
    """Running sums over members whose channels are regions that may overlap, each with a sigmoid of its own.

    Every region is a yes or no with its own binary entropy (C = 2). ``maps`` takes the largest over the regions, a
    voxel being as uncertain as the region that is least sure there; so its three maps need not add up, those of one
    region do.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        """``shape``: (R, ...) of one member's probabilities."""
        self.count = 0
        self._sum = np.zeros(shape, dtype=np.float32)
        self._entropy = np.zeros(shape, dtype=np.float32)

    def add(self, probability: NDArray[Any]) -> None:
        """Count one member, (R, ...). The array is read, not kept."""
        _check_shape(probability, self._sum)
        self.count += 1
        self._sum += probability
        for total, channel in zip(self._entropy, probability, strict=True):
            total += binary_entropy_nats(channel)

    def mean(self) -> Float32:
        """Mean probability (R, ...)."""
        return self._sum / np.float32(_counted(self.count))

    def region_maps(self, region: int) -> MemberMaps:
        """The maps of one region, counted from 0."""
        count = np.float32(_counted(self.count))
        return _maps(binary_entropy_nats(self._sum[region] / count), self._entropy[region] / count, 2)

    def maps(self) -> MemberMaps:
        """The largest of every region's maps. Raises ``ValueError`` when there is no member."""
        whole = self.region_maps(0)
        for region in range(1, len(self._sum)):
            one = self.region_maps(region)
            for total, part in zip(_arrays(whole), _arrays(one), strict=True):
                np.maximum(total, part, out=total)
        return whole


def entropy_nats(probability: Iterable[NDArray[Any]]) -> Float32:
    """-sum_c p_c ln p_c over the first axis (C, ...) or over a stream of C channels, 0 ln 0 = 0."""
    total: Float32 | None = None
    for channel in probability:
        term = np.asarray(channel * np.log(np.maximum(channel, TINY)), dtype=np.float32)
        total = -term if total is None else np.subtract(total, term, out=total)
    if total is None:
        raise ValueError("there is no class to take the entropy of")
    return total


def binary_entropy_nats(probability: NDArray[Any]) -> Float32:
    """-p ln p - (1 - p) ln(1 - p), voxel by voxel, same shape, 0..ln 2."""
    return entropy_nats((probability, 1.0 - probability))


def region_labels(probability: NDArray[Any], order: Sequence[int]) -> NDArray[np.uint8]:
    """Label map (...) of region probabilities (R, ...): a region with P > 0.5 paints over those before it.

    ``order[r]`` is the label value of region r (nnU-Net's ``regions_class_order``), 0 elsewhere.
    """
    labels = np.zeros(probability.shape[1:], dtype=np.uint8)
    for channel, value in zip(probability, order, strict=True):
        labels[channel > 0.5] = value
    return labels


def votes(labels: NDArray[Any], values: Sequence[int]) -> Float32:
    """An outline as probabilities (C, ...): 1 in the channel of a voxel's label, 0 in the others.

    ``values`` are the label values of the channels in order, background included. A voxel with another value is 0 in
    all of them, so callers check for those.
    """
    return np.stack([labels == value for value in values]).astype(np.float32)


def _maps(total: Float32, within: Float32, classes: int) -> MemberMaps:
    scale = np.float32(1.0 / np.log(classes))
    entropy, expected = (np.clip(map_ * scale, 0.0, 1.0) for map_ in (total, within))
    return MemberMaps(entropy, expected, np.maximum(entropy - expected, np.float32(0.0)))


def _arrays(maps: MemberMaps) -> tuple[Float32, Float32, Float32]:
    return maps.entropy, maps.expected_entropy, maps.mutual_information


def _check_shape(probability: NDArray[Any], total: Float32) -> None:
    if probability.shape != total.shape:
        raise ValueError(f"a member of shape {probability.shape} among members of shape {total.shape}")


def _counted(count: int) -> int:
    if not count:
        raise ValueError("there is no member to summarise")
    return count
