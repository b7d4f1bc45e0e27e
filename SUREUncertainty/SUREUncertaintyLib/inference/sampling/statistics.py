"""Statistics over samples, added up one sample at a time: memory does not grow with their number.

With p_n the softmax of sample n, q_c the share of samples that vote c, p^ the share that vote any structure
(natural logarithms; population variance, divided by N):

- ``fg_variance``  p^ (1 - p^), 0..0.25, blind to confusion of one structure with another;
- ``class_variance``  q_c (1 - q_c), 0..0.25, a class;
- ``entropy``  H(mean p) / ln C, 0..1;
- ``mutual_information``  H(mean p) - mean H(p_n), nats, 0..ln C: the part of the entropy that the latents make.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...analysis.members import entropy_nats

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SampleMaps:
    """What N samples say about every voxel; ``probability`` and ``class_variance`` (C, ...), the others (...)."""

    probability: Float32
    fg_variance: Float32
    class_variance: Float32
    entropy: Float32
    mutual_information: Float32

    def map(self, kind: str) -> Float32:
        """A scalar map by name; ``class_variance`` as its mean over the structures."""
        if kind == "class_variance":
            return np.asarray(self.class_variance[1:].mean(axis=0), dtype=np.float32)
        return np.asarray(getattr(self, kind), dtype=np.float32)


def largest_value(kind: str, classes: int) -> float:
    """The largest value of a map over samples.

    ``kind`` is one of ``MAP_KINDS``; others are the mutual information of one level.
    """
    if kind in ("fg_variance", "class_variance"):
        return 0.25
    return 1.0 if kind == "entropy" else float(np.log(classes))


MAP_KINDS = ("mutual_information", "entropy", "fg_variance", "class_variance")


class SampleStatistics:
    """Running sums over samples of class probabilities (C, ...)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """``shape``: (C, ...) of one sample."""
        self.count = 0
        self._probability = np.zeros(shape, dtype=np.float32)
        self._votes = np.zeros(shape, dtype=np.uint16)
        self._entropy = np.zeros(shape[1:], dtype=np.float32)

    def add(self, probability: Float32) -> NDArray[np.uint8]:
        """Count one sample, (C, ...), and return its label channels (...)."""
        self.count += 1
        self._probability += probability
        self._entropy += entropy_nats(probability)
        winners = probability.argmax(axis=0).astype(np.uint8)
        for channel, votes in enumerate(self._votes):
            votes += winners == channel
        return winners

    def maps(self) -> SampleMaps:
        """The maps over all samples so far.

        Raises:
            ValueError: no sample was added.
        """
        if not self.count:
            raise ValueError("there is no sample to summarise")
        mean = self._probability / np.float32(self.count)
        shares = self._votes.astype(np.float32) / np.float32(self.count)
        total = entropy_nats(mean)
        within = self._entropy / np.float32(self.count)
        return SampleMaps(
            probability=mean,
            fg_variance=shares[0] * (1.0 - shares[0]),
            class_variance=shares * (1.0 - shares),
            entropy=np.clip(total / np.float32(np.log(len(mean))), 0.0, 1.0),
            mutual_information=np.maximum(total - within, np.float32(0.0)),
        )
