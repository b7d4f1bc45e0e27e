"""Samples of a network with latents, each a function of its seed and number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ...arrays.noise import standard_noise
from .elbo import LatentNetwork
from .gaussian_head import Gaussian

Levels = Literal["all"] | Sequence[int]


class LatentSamples:
    """What every network with the halves of ``LatentNetwork`` can: draw from its prior."""

    @torch.no_grad()
    def reconstruct(self: LatentNetwork, image: Tensor, label: Tensor) -> Tensor:
        """Logits with every z at the posterior's mean: for diagnosis, never a result, as it has seen the reference."""
        bottleneck, skips = self.encode(image)
        return self.decode(bottleneck, skips, [gaussian.mean for gaussian in self.posterior(image, label)])

    @torch.no_grad()
    def sample(
        self: LatentNetwork, image: Tensor, count: int, levels: Levels = "all", seed: int = 0, first: int = 0
    ) -> Tensor:
        """Logits (count, B, C, ...) of samples ``first`` .. ``first + count - 1`` from the prior.

        Sample k at level l uses noise drawn from (seed, k, l) alone, whatever else was drawn before. Levels that are
        not listed stay at their mean. Training mode is neither needed nor touched.

        Raises:
            ValueError: fewer than one sample, or a level that does not exist.
        """
        chosen = chosen_levels(levels, len(self.level_strides))
        if count < 1:
            raise ValueError(f"at least one sample is needed, got {count}")
        bottleneck, skips = self.encode(image)
        prior = self.prior(skips)
        samples = []
        for k in range(first, first + count):
            latents = [
                gaussian.draw(_noise(gaussian, seed, k, level)) if level in chosen else gaussian.mean
                for level, gaussian in enumerate(prior)
            ]
            samples.append(self.decode(bottleneck, skips, latents))
        return torch.stack(samples)


def chosen_levels(levels: Levels, count: int) -> frozenset[int]:
    """The levels that are sampled.

    Raises:
        ValueError: a level that does not exist.
    """
    if levels == "all":
        return frozenset(range(count))
    unknown = sorted(set(levels) - set(range(count)))
    if unknown:
        raise ValueError(f"level {unknown[0]} does not exist; there are {count} levels, 0 (finest) to {count - 1}")
    return frozenset(int(level) for level in levels)


def _noise(gaussian: Gaussian, seed: int, sample: int, level: int) -> Tensor:
    field = torch.from_numpy(standard_noise((seed,), sample, level, tuple(gaussian.mean.shape)))
    return field.to(gaussian.mean.device)
