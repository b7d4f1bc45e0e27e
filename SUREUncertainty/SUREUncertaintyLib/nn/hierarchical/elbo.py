"""The training loss of the hierarchical network: cross-entropy + Dice + weighted divergence of posterior and prior.

The lower bound alone never shows the decoder what it will be asked for, draws of the prior: their mean drifts away from
what most readers drew. ``point_weight`` therefore trains the answer at the prior's mean as well, by the same two terms;
the idea is the hybrid objective of K. Sohn, H. Lee, X. Yan, "Learning Structured Output Representation using Deep
Conditional Generative Models", NeurIPS 2015, with the mean in place of a draw, so that samples stay free to differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..duo_weighting import DuoWeighting, over_batch
from ..evidential import to_one_hot
from .gaussian_head import Gaussian, kl_divergence

TINY = 1e-10


class LatentNetwork(Protocol):
    """What the loss, the probe and the samplers need of a network: two halves, a prior and a posterior."""

    latent_mode: str
    posterior_kind: str
    spatial_dims: int
    classes: int

    @property
    def level_strides(self) -> tuple[int, ...]:
        """Pixels of the image a location of each level, finest first."""

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


@dataclass(frozen=True)
class ElboSettings:
    """Weights of the loss.

    Attributes:
        kl_weight: beta, reached after ``kl_warmup_epochs`` of linear growth.
        kl_level_weights: one number a level, finest first; ``"elbo"`` for ``ce_weight`` n_l / N_pixels, which with
            beta = 1 is the evidence lower bound; None for 1.
        free_bits: nats a location below which a level's divergence is not penalised.
        kl_direction: ``"qp"`` for KL(q || p), ``"pq"`` as in the reference code.
        reparam: whether the draw lets gradients reach mean and sigma; the reference code's does not.
        point_weight: of cross-entropy + Dice, weighted as above, at the prior's mean.
        weighting: w_ic on the class terms of cross-entropy and Dice; the divergence stays as it is.
    """

    ce_weight: float = 0.4
    dice_weight: float = 0.5
    kl_weight: float = 0.1
    kl_level_weights: str | tuple[float, ...] | None = None
    kl_warmup_epochs: float = 10.0
    free_bits: float = 0.0
    kl_direction: str = "qp"
    reparam: bool = True
    point_weight: float = 0.0
    weighting: DuoWeighting | None = None

    def __post_init__(self) -> None:
        if self.kl_direction not in ("qp", "pq"):
            raise ValueError(f"kl_direction must be 'qp' or 'pq', got {self.kl_direction!r}")
        if isinstance(self.kl_level_weights, str) and self.kl_level_weights != "elbo":
            raise ValueError(f"kl_level_weights must be 'elbo' or numbers, got {self.kl_level_weights!r}")
        if self.point_weight < 0.0:
            raise ValueError(f"point_weight must not be negative, got {self.point_weight}")

    def beta(self, epoch: float) -> float:
        """The weight of the divergence at an epoch."""
        return self.kl_weight * (min(1.0, epoch / self.kl_warmup_epochs) if self.kl_warmup_epochs > 0 else 1.0)

    def level_weights(self, strides: Sequence[int], spatial_dims: int) -> tuple[float, ...]:
        """w_l of every level."""
        if self.kl_level_weights == "elbo":
            return elbo_level_weights(strides, spatial_dims, self.ce_weight)
        weights = self.kl_level_weights or (1.0,) * len(strides)
        if len(weights) != len(strides):
            raise ValueError(f"{len(weights)} kl_level_weights for {len(strides)} levels")
        return tuple(float(weight) for weight in weights)


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

    Args:
        image: (B, channels, ...); label: (B, ...) integers.
        epoch: position in the warm-up; infinity for after it.
        generator: of the draw; torch's own when None.
    """
    bottleneck, skips = network.encode(image)
    prior = network.prior(skips)
    trained = network.latent_mode == "gaussian"
    source = network.posterior(image, label) if trained else prior

    def fit(latents: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        logits = network.decode(bottleneck, skips, latents).float()
        return _fit(logits, label, settings.weighting(logits, epoch) if settings.weighting else None)

    ce, dice = fit([_draw(gaussian, settings.reparam, generator) for gaussian in source])
    loss, point = settings.ce_weight * ce + settings.dice_weight * dice, None
    if settings.point_weight > 0.0 and network.latent_mode != "off":
        point_ce, point_dice = fit([gaussian.mean for gaussian in prior])
        point = settings.ce_weight * point_ce + settings.dice_weight * point_dice
        loss = loss + settings.point_weight * point
    if not trained:
        return ElboTerms(loss, ce, dice, point=point)
    divergences = tuple(level_divergences(source, prior, settings.kl_direction))
    levels = settings.level_weights(network.level_strides, network.spatial_dims)
    penalty = torch.stack([w * kl.clamp_min(settings.free_bits) for w, kl in zip(levels, divergences, strict=True)])
    return ElboTerms(loss + settings.beta(epoch) * penalty.sum(), ce, dice, divergences, point)


def _fit(logits: Tensor, label: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
    """Cross-entropy and Dice loss of one answer."""
    target = to_one_hot(label, logits.shape[1])
    return weighted_cross_entropy(logits, label, weights), soft_dice_loss(logits.softmax(1), target, weights)


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


def elbo_level_weights(strides: Sequence[int], spatial_dims: int, ce_weight: float) -> tuple[float, ...]:
    """ce_weight n_l / N_pixels, the weights under which beta = 1 is the evidence lower bound."""
    return tuple(ce_weight / float(stride) ** spatial_dims for stride in strides)


def weighted_cross_entropy(logits: Tensor, label: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean over voxels of -w_ic ln p_ic at the right class c; ``weights`` (B, C), all 1 when None."""
    terms = cross_entropy(logits, label, reduction="none")
    if weights is None:
        return terms.mean()
    chosen = weights.gather(1, label.flatten(1)).reshape(label.shape)
    return (terms * chosen).mean()


def soft_dice_loss(probability: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """1 - 2 sum p y / (sum p^2 + sum y^2), over the whole batch, mean over all classes, background included.

    ``weights`` (B, C): their mean over the batch multiplies the class terms.
    """
    axes = [0, *range(2, probability.ndim)]
    shared = (probability * target).sum(axes)
    total = (probability**2).sum(axes) + (target**2).sum(axes)
    missed = 1.0 - 2.0 * shared / (total + TINY)
    return (missed if weights is None else missed * over_batch(weights)).mean()


def _draw(gaussian: Gaussian, reparam: bool, generator: torch.Generator | None) -> Tensor:
    noise = torch.randn(
        gaussian.mean.shape, generator=generator, device=gaussian.mean.device, dtype=gaussian.mean.dtype
    )
    drawn = gaussian.draw(noise)
    return drawn if reparam else drawn.detach()
