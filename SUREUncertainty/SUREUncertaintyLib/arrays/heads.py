"""From raw network outputs to the quantity that windows blend, and from there to probability and uncertainty.

Blending comes before anything nonlinear: windows add up evidence (or probability), never uncertainty, which would be
an average of ratios. Everything is float32; the evidential formulas are those of subjective logic as restated in
Li, Sui, Wu, Zhuang, MICCAI 2025 (arXiv 2509.17098): e = softplus(logit), alpha = e + 1, S = sum alpha,
p = alpha / S, vacuity u = C / S.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.errors import PackageError

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Belief:
    """What a head says about voxels.

    Attributes:
        probability: (C, ...) float32, sums to 1 over the first axis.
        uncertainty: (...) float32, the head's primary kind of uncertainty, 0..1.
        entropy: (...) float32, predictive entropy over all classes divided by ln C, 0..1.
        labels: (...) which class wins, where that was decided before the probabilities were changed; None where the
            most probable one does.
    """

    probability: Float32
    uncertainty: Float32
    entropy: Float32
    labels: NDArray[np.intp] | None = None

    @property
    def winners(self) -> NDArray[np.intp]:
        """(...) channel of the class that wins."""
        return self.probability.argmax(axis=0) if self.labels is None else self.labels


class Head(Protocol):
    """How logits of one kind of network are read."""

    @property
    def kind(self) -> str:
        """Name of the primary uncertainty: ``"vacuity"`` or ``"entropy"``."""

    def blended(self, logits: Float32, axis: int = 0) -> Float32:
        """The non-negative quantity that windows average, same shape as ``logits``; classes on ``axis``."""
        ...

    def belief(self, blended: Float32) -> Belief:
        """Probability and uncertainty from the averaged quantity (C, ...), classes first."""
        ...

    def probability(self, blended: Float32) -> Float32:
        """Only the probability (C, ...)."""
        ...

    def undecided(self, classes: int) -> Float32:
        """The averaged quantity (C,) of a voxel of which next to nothing is known: background by a hair."""
        ...

    def scaled(self, blended: Float32, log_factor: Float32) -> Float32:
        """The averaged quantity (C, ...) as it were, had the logits of every voxel been multiplied by exp(h) (...)."""
        ...

    def classes(self, channels: int) -> int:
        """How many of the averaged channels are classes; what follows them says something else."""
        ...


def softplus(x: Float32) -> Float32:
    """ln(1 + e^x) without overflow: max(x, 0) + ln(1 + e^-|x|), float32, absolute error below 2e-7 x max(1, x)."""
    small = np.abs(x, dtype=np.float32)
    np.negative(small, out=small)
    np.exp(small, out=small)
    small += np.float32(1.0)
    np.log(small, out=small)
    small += np.maximum(x, np.float32(0.0))
    return small


def softmax(logits: Float32, axis: int = 0) -> Float32:
    """Class probabilities, same shape, float32, shifted by the largest logit so that nothing overflows."""
    shifted = logits - logits.max(axis=axis, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=axis, keepdims=True)
    return np.asarray(shifted, dtype=np.float32)


def normalised_entropy(probability: Float32) -> Float32:
    """-sum_c p_c ln p_c / ln C over the first axis, 0 ln 0 = 0, in 0..1; C >= 2 (one class: zeros)."""
    classes = probability.shape[0]
    total = np.zeros(probability.shape[1:], dtype=np.float32)
    if classes < 2:
        return total
    tiny = np.finfo(np.float32).tiny
    for channel in probability:
        term = np.log(np.maximum(channel, tiny))
        term *= channel
        total -= term
    total *= np.float32(1.0 / np.log(classes))
    return np.clip(total, 0.0, 1.0, out=total)


LEAST_EVIDENCE = 1e-30
"""Of what less evidence counts as: its logit has an end then."""

HAIR = 0.01
"""Evidence, or probability, by which an undecided voxel is background."""


class EvidentialHead:
    """Evidence of a Dirichlet distribution a voxel; uncertainty is its vacuity u = C / S."""

    kind = "vacuity"

    def classes(self, channels: int) -> int:
        """All of them."""
        return channels

    def scaled(self, blended: Float32, log_factor: Float32) -> Float32:
        """softplus(exp(h) x), x the logit whose softplus is the evidence."""
        evidence = np.maximum(blended, np.float32(LEAST_EVIDENCE))
        logits = evidence + np.log(-np.expm1(-evidence))
        return softplus(np.asarray(logits * np.exp(log_factor), dtype=np.float32))

    def undecided(self, classes: int) -> Float32:
        """No evidence but a hair: u next to 1, all classes about equally probable."""
        return np.array([HAIR, *[0.0] * (classes - 1)], np.float32)

    def blended(self, logits: Float32, axis: int = 0) -> Float32:
        """Evidence e = softplus(logit), same shape; averaging e is averaging alpha = e + 1."""
        return softplus(logits)

    def probability(self, blended: Float32) -> Float32:
        """p = alpha / S, (C, ...)."""
        alpha = blended + np.float32(1.0)
        alpha /= alpha.sum(axis=0, keepdims=True)
        return alpha

    def belief(self, blended: Float32) -> Belief:
        """p = alpha / S (C, ...), u = C / S (...) and the entropy of p (...)."""
        strength = blended.sum(axis=0) + np.float32(blended.shape[0])
        vacuity = np.divide(np.float32(blended.shape[0]), strength)
        probability = self.probability(blended)
        return Belief(probability, vacuity, normalised_entropy(probability))


class SoftmaxHead:
    """Plain class probabilities; uncertainty is their normalised entropy."""

    kind = "entropy"

    def classes(self, channels: int) -> int:
        """All of them."""
        return channels

    def scaled(self, blended: Float32, log_factor: Float32) -> Float32:
        """softmax(exp(h) ln p), as the logits are ln p but for a constant."""
        logits = np.log(np.maximum(blended, np.finfo(np.float32).tiny))
        return softmax(np.asarray(logits * np.exp(log_factor), dtype=np.float32))

    def undecided(self, classes: int) -> Float32:
        """All classes equally probable but for a hair."""
        equal = np.full(classes, (1.0 - HAIR) / classes, np.float32)
        equal[0] += np.float32(HAIR)
        return equal

    def blended(self, logits: Float32, axis: int = 0) -> Float32:
        """Probabilities, same shape, which are then averaged over windows."""
        return softmax(logits, axis)

    def probability(self, blended: Float32) -> Float32:
        """The averaged probabilities (C, ...), renormalised against rounding and resampling."""
        return np.asarray(blended / blended.sum(axis=0, keepdims=True), dtype=np.float32)

    def belief(self, blended: Float32) -> Belief:
        """Probability (C, ...), with entropy (...) as both kinds of uncertainty."""
        probability = self.probability(blended)
        entropy = normalised_entropy(probability)
        return Belief(probability, entropy, entropy)


HEADS: dict[str, type[EvidentialHead] | type[SoftmaxHead]] = {
    "evidential": EvidentialHead,
    "softmax": SoftmaxHead,
}


def create_head(name: str) -> Head:
    """The head that a package names.

    Raises:
        PackageError: no such head.
    """
    if name not in HEADS:
        raise PackageError(f"The package asks for a head '{name}'. Known are: {', '.join(HEADS)}.")
    return HEADS[name]()


def class_probability(logits: Float32, head: Head) -> Float32:
    """Class probabilities (B, C, ...) that a head reads from a network's outputs (B, C, ...)."""
    channels = np.moveaxis(logits, 1, 0)
    return np.moveaxis(head.probability(head.blended(channels, axis=0)), 0, 1)
