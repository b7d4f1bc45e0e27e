"""The weights of the hierarchical network's loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..duo_weighting import DuoWeighting


@dataclass(frozen=True)
class ElboSettings:
    """Weights of the loss.

    Attributes:
        kl_weight: beta, reached after ``kl_warmup_epochs`` of linear growth.
        kl_level_weights: one number a level, finest first; ``"elbo"`` for ``ce_weight`` n_l / N_pixels, which with
            beta = 1 is the evidence lower bound; None for 1.
        free_bits: nats a location below which a level's divergence is not penalised; one number, or one a level.
        kl_direction: ``"qp"`` for KL(q || p), ``"pq"`` as in the reference code.
        reparam: whether the draw lets gradients reach mean and sigma; the reference code's does not.
        draw_dice_weight: of Dice at the draw from the posterior, where it differs from ``dice_weight``: 0 leaves the
            lower bound alone, under which samples spread as the readers do.
        partial_weight: of the mean cross-entropy of the partial sums of a network whose levels add up, see
            ``SummedLevels``.
        prior_draws: from the prior, for the next two.
        prior_weight: of cross-entropy + Dice, weighted as above, of the draws' mean probability.
        energy_weight: of the draws' energy score, see ``energy_score``.
        point_weight: of cross-entropy + Dice, weighted as above, at the prior's mean.
        weighting: w_ic on the class terms of cross-entropy and Dice; the divergence stays as it is.
    """

    ce_weight: float = 0.4
    dice_weight: float = 0.5
    kl_weight: float = 0.1
    kl_level_weights: str | tuple[float, ...] | None = None
    kl_warmup_epochs: float = 10.0
    free_bits: float | tuple[float, ...] = 0.0
    kl_direction: str = "qp"
    reparam: bool = True
    point_weight: float = 0.0
    draw_dice_weight: float | None = None
    partial_weight: float = 0.0
    prior_draws: int = 0
    prior_weight: float = 0.0
    energy_weight: float = 0.0
    weighting: DuoWeighting | None = None

    def __post_init__(self) -> None:
        if self.kl_direction not in ("qp", "pq"):
            raise ValueError(f"kl_direction must be 'qp' or 'pq', got {self.kl_direction!r}")
        if isinstance(self.kl_level_weights, str) and self.kl_level_weights != "elbo":
            raise ValueError(f"kl_level_weights must be 'elbo' or numbers, got {self.kl_level_weights!r}")
        if self.prior_draws < max(self.prior_weight > 0.0, 2 * (self.energy_weight > 0.0)):
            raise ValueError("prior_weight needs prior_draws of at least 1, energy_weight of at least 2")
        if self.point_weight < 0.0:
            raise ValueError(f"point_weight must not be negative, got {self.point_weight}")

    def beta(self, epoch: float) -> float:
        """The weight of the divergence at an epoch."""
        return self.kl_weight * (min(1.0, epoch / self.kl_warmup_epochs) if self.kl_warmup_epochs > 0 else 1.0)

    @property
    def draw_dice(self) -> float:
        """The weight of Dice at the draw from the posterior."""
        return self.dice_weight if self.draw_dice_weight is None else self.draw_dice_weight

    def free_levels(self, levels: int) -> tuple[float, ...]:
        """Free bits of every level."""
        return per_level(self.free_bits, levels, "free_bits")

    def level_weights(self, strides: Sequence[int], spatial_dims: int) -> tuple[float, ...]:
        """w_l of every level."""
        if isinstance(self.kl_level_weights, str):
            return elbo_level_weights(strides, spatial_dims, self.ce_weight)
        return per_level(self.kl_level_weights or 1.0, len(strides), "kl_level_weights")


def elbo_level_weights(strides: Sequence[int], spatial_dims: int, ce_weight: float) -> tuple[float, ...]:
    """ce_weight n_l / N_pixels, the weights under which beta = 1 is the evidence lower bound."""
    return tuple(ce_weight / float(stride) ** spatial_dims for stride in strides)


def per_level(numbers: float | Sequence[float], levels: int, name: str) -> tuple[float, ...]:
    """One number a level from a number for all or a list.

    Raises:
        ValueError: the list has another length.
    """
    chosen = tuple(numbers) if isinstance(numbers, Sequence) else (numbers,) * levels
    if len(chosen) != levels:
        raise ValueError(f"{len(chosen)} {name} for {levels} levels")
    return tuple(float(number) for number in chosen)
