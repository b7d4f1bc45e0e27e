"""Whether latents carry information at all: a figure of plausible maps cannot show it, these numbers can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.latent_levels import carries_nothing
from .elbo import LatentNetwork, level_divergences
from .gaussian_head import Gaussian

NO_INFORMATION = (
    "The latents carry no information: every level has collapsed, so samples only show the decoder's noise."
)


@dataclass(frozen=True)
class LevelProbe:
    """One level on held-out cases.

    Attributes:
        kl: KL(q || p), mean over locations, nats, before free bits.
        mean, std: mean over cases and locations of the prior's mu and sigma.
        mean_spread, std_spread: their standard deviation over the locations of a case, mean over cases.
    """

    level: int
    kl: float
    mean: float
    mean_spread: float
    std: float
    std_spread: float

    @property
    def collapsed(self) -> bool:
        """KL below 1e-4, or a prior that is the same everywhere (both spreads below 0.01)."""
        return carries_nothing(vars(self))


@torch.no_grad()
def probe_levels(network: LatentNetwork, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[LevelProbe, ...]:
    """Measure every level on (image, label) batches of held-out cases; batches weigh by their size."""
    rows, sizes = [], []
    for image, label in batches:
        prior = network.prior(network.encode(image)[1])
        divergences = level_divergences(network.posterior(image, label), prior)
        rows.append(torch.stack([_measures(p, kl) for p, kl in zip(prior, divergences, strict=True)]))
        sizes.append(float(len(image)))
    weights = torch.tensor(sizes) / sum(sizes)
    table = (torch.stack(rows).cpu() * weights[:, None, None]).sum(0)
    return tuple(LevelProbe(level, *row) for level, row in enumerate(table.tolist()))


def collapse_warnings(probes: Sequence[LevelProbe]) -> tuple[str, ...]:
    """Sentences for log and model card; none when every level is alive."""
    dead = [str(probe.level) for probe in probes if probe.collapsed]
    if not dead:
        return ()
    if len(dead) == len(probes):
        return (NO_INFORMATION,)
    return (f"Latent levels that have collapsed and add nothing: {', '.join(dead)} (0 is the finest).",)


def _measures(prior: Gaussian, kl: Tensor) -> Tensor:
    return torch.stack([kl, *_mean_and_spread(prior.mean), *_mean_and_spread(prior.std)])


def _mean_and_spread(values: Tensor) -> tuple[Tensor, Tensor]:
    """Spread over the locations of a case; over cases for a latent with one location, which has no other."""
    flat = values.flatten(2)
    return flat.mean(), flat.std(2 if flat.shape[2] > 1 else 0, correction=0).mean()
