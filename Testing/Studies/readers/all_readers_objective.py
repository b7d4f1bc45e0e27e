"""Draws from the prior that are held against all readers of a slice at once, instead of one at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from readers.published_loss import generator_of
from SUREUncertaintyLib.nn.hierarchical.elbo import draw_prior, prior_loss
from SUREUncertaintyLib.training.hierarchical_objective import HierarchicalObjective, latent_network
from SUREUncertaintyLib.training.objectives import Batch
from SUREUncertaintyLib.training.training_cases import TrainingCase
from torch import Tensor, nn


@dataclass(frozen=True)
class AllReadersObjective:
    """The loss of ``inner``, whose terms on draws from the prior are means over the readers.

    Attributes:
        cases: in the order of ``Batch.cases``; their readings are as large as the batch's images.
    """

    inner: HierarchicalObjective
    cases: Sequence[TrainingCase]

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """Two passes, each with its backward: the lower bound on one reader, and the draws on all."""
        settings = self.inner.settings
        rest = replace(settings, prior_draws=0, prior_weight=0.0, energy_weight=0.0)
        found = replace(self.inner, settings=rest).backward(network, batch, epoch)
        device = batch.image.device
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.inner.mixed_precision):
            generator = generator_of((*batch.seed, 1))
            samples = draw_prior(latent_network(network), batch.image, settings.prior_draws, generator)
        readings = self._readings(batch).to(device)
        loss = torch.stack([prior_loss(samples, reading, settings) for reading in readings]).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return found | {"loss": found["loss"] + float(loss.detach()), "prior": float(loss.detach())}

    def _readings(self, batch: Batch) -> Tensor:
        """(readers, B, H, W) integers."""
        chosen = [self.cases[number].readings for number in batch.cases]
        return torch.from_numpy(np.stack([marks for marks in chosen if marks is not None], axis=1)).long()
