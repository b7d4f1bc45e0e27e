"""The likelihood of a reader's whole outline under a mixture of draws from the prior, beside the library's loss.

The loss of stochastic segmentation networks (Monteiro et al. 2020) on the draws of a network with latents: it is least
where every draw is as sure of itself as it is often right.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from readers.published_loss import generator_of
from readers.stochastic_segmentation import negative_log_likelihood
from SUREUncertaintyLib.nn.hierarchical.elbo import draw_prior
from SUREUncertaintyLib.training.hierarchical_objective import HierarchicalObjective, latent_network
from SUREUncertaintyLib.training.objectives import Batch
from torch import nn

DRAWS = 8
SURE = 1e-6
"""A probability is taken to be no nearer to 0, so that the logarithm stays finite."""


@dataclass(frozen=True)
class MixtureObjective:
    """The loss of ``inner`` + ``weight`` -ln (1/N) sum_n p(label | draw n), a pixel."""

    inner: HierarchicalObjective
    weight: float

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """Two passes, each with its backward."""
        found = self.inner.backward(network, batch, epoch)
        device = batch.image.device
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.inner.mixed_precision):
            samples = draw_prior(latent_network(network), batch.image, DRAWS, generator_of((*batch.seed, 1)))
        logits = samples.clamp_min(SURE).log()
        loss = self.weight * negative_log_likelihood(logits, batch.label) / batch.label[0].numel()
        loss.backward()  # type: ignore[no-untyped-call]
        return found | {"loss": found["loss"] + float(loss.detach()), "mixture": float(loss.detach())}
