"""Uncertainty of a frozen network under a factor on its logits, with a gradient for the factor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from ..evidential import dirichlet

LEAST = 1e-4
"""Added to an entropy before its logarithm is taken: far from every structure it is 0 to float32."""


@dataclass(frozen=True)
class OutputKind:
    """How a network's outputs are read.

    Attributes:
        name: ``"evidential"``, ``"softmax"`` or ``"regions"`` (sigmoids that paint over one another).
        order: of regions: their channels in the order in which they paint.
        values: of regions: the class that each of them paints, in that order.
        classes: background included.
    """

    name: str
    classes: int
    order: tuple[int, ...] = ()
    values: tuple[int, ...] = ()


def scaled_uncertainty(logits: Tensor, log_factor: Tensor, kind: OutputKind) -> Tensor:
    """Vacuity C / S, or the entropy over all classes divided by ln C, (B, ...), in (0, 1].

    Args:
        logits: (B, channels, ...); log_factor: (B, 1, ...), ln of what they are multiplied by.
    """
    scaled = logits * log_factor.exp()
    if kind.name == "evidential":
        return dirichlet(scaled).vacuity
    return class_entropy(class_logarithms(scaled, kind))


def class_logarithms(logits: Tensor, kind: OutputKind) -> Tensor:
    """ln of the probability of every class (B, C, ...), of logits (B, channels, ...)."""
    if kind.name == "evidential":
        return dirichlet(logits).probability.log()
    return log_softmax(logits, 1) if kind.name == "softmax" else _region_classes(logits, kind)


def class_entropy(logarithms: Tensor) -> Tensor:
    """Entropy divided by ln C, and ``LEAST`` more, (B, ...), of ln of the class probabilities (B, C, ...)."""
    entropy = -(logarithms.exp() * logarithms).sum(1) / math.log(logarithms.shape[1])
    return entropy.clamp(0.0, 1.0) + LEAST


def _region_classes(logits: Tensor, kind: OutputKind) -> Tensor:
    """ln of the probability (B, C, ...) that each class stands in the label map, regions taken as independent."""
    found = [torch.zeros_like(logits[:, 0]) for _ in range(kind.classes)]
    left = torch.ones_like(logits[:, 0])
    for channel, value in zip(reversed(kind.order), reversed(kind.values), strict=True):
        inside = torch.sigmoid(logits[:, channel])
        found[value] = found[value] + left * inside
        left = left * (1.0 - inside)
    found[0] = found[0] + left
    return torch.stack(found, 1).clamp(min=1e-12).log()
