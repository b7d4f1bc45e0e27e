"""The objective of networks that bring the loss of their publication."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from SUREUncertaintyLib.training.objectives import Batch
from torch import Tensor, nn


@runtime_checkable
class Published(Protocol):
    """A network with the loss of its publication and draws of its own."""

    def loss(self, image: Tensor, label: Tensor, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """``loss`` and its parts."""

    def draw(self, image: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Logits (count, C, H, W) of one image."""


@dataclass(frozen=True)
class PublishedLoss:
    """The loss that the network brings."""

    mixed_precision: bool

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """One pass, one backward; the draw follows from the batch's seed."""
        assert isinstance(network, Published)
        with torch.autocast(batch.image.device.type, dtype=torch.bfloat16, enabled=self.mixed_precision):
            terms = network.loss(batch.image, batch.label, generator_of(batch.seed))
        terms["loss"].backward()  # type: ignore[no-untyped-call]
        return {name: float(term.detach()) for name, term in terms.items()}


def generator_of(seed: tuple[int, ...]) -> torch.Generator:
    """Random numbers that follow from a seed alone."""
    return torch.Generator().manual_seed(int(np.random.default_rng(seed).integers(2**31)))
