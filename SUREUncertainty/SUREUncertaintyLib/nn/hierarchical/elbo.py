"""The training loss of the hierarchical network: cross-entropy + Dice + weighted divergence of posterior and prior.

The lower bound alone never shows the decoder what it will be asked for, draws of the prior: their mean drifts away from
what most readers drew. ``point_weight`` therefore trains the answer at the prior's mean as well, by the same two terms;
the idea is the hybrid objective of K. Sohn, H. Lee, X. Yan, "Learning Structured Output Representation using Deep
Conditional Generative Models", NeurIPS 2015, with the mean in place of a draw, so that samples stay free to differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .elbo_settings import ElboSettings
from .gaussian_head import Gaussian, kl_divergence
from .sample_fit import energy_score, fit, mean_fit


class LatentNetwork(Protocol):
    """What the loss, the probe and the samplers need of a network: two halves, a prior and a posterior."""

    latent_mode: str
    posterior_kind: str
    spatial_dims: int
    classes: int

    @property
    def level_strides(self) -> tuple[int, ...]:
        """Pixels of the image a location of each level, finest first."""

    @property
    def decoder_skips(self) -> int:
        """How many of the skips ``decode`` reads: all, or none."""

    def encode(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Bottleneck and skips."""
        ...

    def prior(self, skips: Sequence[Tensor]) -> list[Gaussian]:
        """p(z_l | x) of every level."""
        ...

    def posterior(self, image: Tensor, label: Tensor) -> list[Gaussian]:
        """q(z_l | x, y) of every level."""
        ...

    def decode(self, bottleneck: Tensor, skips: Sequence[Tensor], latents: Sequence[Tensor]) -> Tensor:
        """Logits."""
        ...


@runtime_checkable
class SummedLevels(Protocol):
    """A network whose levels add up to its logits."""

    def partial_sums(self, bottleneck: Tensor, latents: Sequence[Tensor]) -> list[Tensor]:
        """Logits with the levels from the coarsest down to each, finest first."""
        ...


@dataclass(frozen=True)
class ElboTerms:
    """A loss and its parts.

    ``kl_per_level`` is before free bits and weights, empty without a posterior; ``point`` is before its weight, None
    where it is not trained.
    """

    loss: Tensor
    ce: Tensor
    dice: Tensor
    kl_per_level: tuple[Tensor, ...] = ()
    point: Tensor | None = None

    def logged(self) -> dict[str, float]:
        """Plain numbers for the log: loss, ce, dice, point where it is trained, and kl_0 (finest) onwards."""
        parts = {"loss": self.loss, "ce": self.ce, "dice": self.dice}
        parts |= {} if self.point is None else {"point": self.point}
        parts |= {f"kl_{level}": kl for level, kl in enumerate(self.kl_per_level)}
        return {name: float(value.detach()) for name, value in parts.items()}


def elbo_terms(
    network: LatentNetwork,
    image: Tensor,
    label: Tensor,
    settings: ElboSettings,
    epoch: float,
    generator: torch.Generator | None,
) -> ElboTerms:
    """ce_weight CE + dice_weight Dice + beta sum_l w_l max(KL_l, free_bits), z drawn once from the posterior.

    With ``point_weight``, the first two terms once more at the prior's mean; they cost a second pass of the decoder.
    ``prior_draws`` cost one each: what they add trains the draws that a user will see.

    Args:
        image: (B, channels, ...); label: (B, ...) integers.
        epoch: position in the warm-up; infinity for after it.
        generator: of the draw; torch's own when None.
    """
    bottleneck, skips = network.encode(image)
    prior = network.prior(skips)
    trained = network.latent_mode == "gaussian"
    source = network.posterior(image, label) if trained else prior

    def fit_of(latents: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        logits = network.decode(bottleneck, skips, latents).float()
        return fit(logits, label, settings.weighting(logits, epoch) if settings.weighting else None)

    drawn = [_draw(gaussian, settings.reparam, generator) for gaussian in source]
    ce, dice = fit_of(drawn)
    loss, point = settings.ce_weight * ce + settings.draw_dice * dice, None
    if settings.partial_weight > 0.0:
        loss = loss + settings.partial_weight * partial_fit(network, bottleneck, drawn, label)
    if settings.prior_draws:
        samples = _probabilities(network, (bottleneck, skips), prior, settings.prior_draws, generator)
        loss = loss + prior_loss(samples, label, settings)
    if settings.point_weight > 0.0 and network.latent_mode != "off":
        point_ce, point_dice = fit_of([gaussian.mean for gaussian in prior])
        point = settings.ce_weight * point_ce + settings.dice_weight * point_dice
        loss = loss + settings.point_weight * point
    if not trained:
        return ElboTerms(loss, ce, dice, point=point)
    divergences = tuple(level_divergences(source, prior, settings.kl_direction))
    penalty = _penalty(divergences, settings, network)
    return ElboTerms(loss + settings.beta(epoch) * penalty, ce, dice, divergences, point)


def _penalty(divergences: Sequence[Tensor], settings: ElboSettings, network: LatentNetwork) -> Tensor:
    """sum_l w_l max(KL_l, free bits of l)."""
    weights = settings.level_weights(network.level_strides, network.spatial_dims)
    free = settings.free_levels(len(weights))
    return torch.stack([w * kl.clamp_min(f) for w, kl, f in zip(weights, divergences, free, strict=True)]).sum()


def draw_prior(network: LatentNetwork, image: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
    """Probabilities (count, B, C, ...) of draws from the prior, differentiable in all that made them."""
    bottleneck, skips = network.encode(image)
    return _probabilities(network, (bottleneck, skips), network.prior(skips), count, generator)


def _probabilities(
    network: LatentNetwork,
    encoded: tuple[Tensor, Sequence[Tensor]],
    prior: Sequence[Gaussian],
    count: int,
    generator: torch.Generator | None,
) -> Tensor:
    draws = [[_draw(gaussian, True, generator) for gaussian in prior] for _ in range(count)]
    return torch.stack([network.decode(*encoded, latents).float().softmax(1) for latents in draws])


def prior_loss(samples: Tensor, label: Tensor, settings: ElboSettings) -> Tensor:
    """What probabilities (N, B, C, ...) of draws from the prior add to the loss."""
    ce, dice = mean_fit(samples, label)
    loss = settings.prior_weight * (settings.ce_weight * ce + settings.dice_weight * dice)
    return loss + settings.energy_weight * energy_score(samples, label) if settings.energy_weight > 0.0 else loss


def partial_fit(network: LatentNetwork, bottleneck: Tensor, latents: Sequence[Tensor], label: Tensor) -> Tensor:
    """Cross-entropy of the sums of the coarser levels, all but the whole one, mean over levels.

    Raises:
        ValueError: the network's levels do not add up.
    """
    if not isinstance(network, SummedLevels):
        raise ValueError("partial_weight needs a network whose levels add up, such as 'residual_latent_unet'")
    parts = network.partial_sums(bottleneck, latents)[1:]
    return torch.stack([cross_entropy(part.float(), label) for part in parts]).mean()


class LatentTraining:
    """What every network with the halves of ``LatentNetwork`` can: its training loss."""

    def elbo(
        self: LatentNetwork,
        image: Tensor,
        label: Tensor,
        settings: ElboSettings | None = None,
        epoch: float = float("inf"),
        generator: torch.Generator | None = None,
    ) -> ElboTerms:
        """The loss and its parts for one draw of z; see ``elbo_terms``."""
        return elbo_terms(self, image, label, settings or ElboSettings(), epoch, generator)


def level_divergences(posterior: Sequence[Gaussian], prior: Sequence[Gaussian], direction: str = "qp") -> list[Tensor]:
    """KL_l of every level, mean over batch, channels and locations, nats."""
    pairs = list(zip(posterior, prior, strict=True))
    return [(kl_divergence(q, p) if direction == "qp" else kl_divergence(p, q)).mean() for q, p in pairs]


def _draw(gaussian: Gaussian, reparam: bool, generator: torch.Generator | None) -> Tensor:
    noise = torch.randn(
        gaussian.mean.shape, generator=generator, device=gaussian.mean.device, dtype=gaussian.mean.dtype
    )
    drawn = gaussian.draw(noise)
    return drawn if reparam else drawn.detach()
