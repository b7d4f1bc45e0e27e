"""Evidential segmentation: logits to Dirichlet, and the segmentation loss L_Seg.

Source: Li, Sui, Wu, Zhuang (MICCAI 2025, arXiv 2509.17098) on Sensoy et al. (2018); restated in our own words.
N is all voxels of the batch, C classes with background at channel 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot, softplus

from .duo_weighting import DuoWeighting, over_batch, over_voxels

KL_ANNEAL_EPOCHS = 20.0
SMOOTH_TARGET = 1e-3
SMOOTH_RATIO = 1e-5


@dataclass(frozen=True)
class Dirichlet:
    """A Dirichlet distribution a voxel: concentration ``alpha`` (B, C, ...), always float32 or better."""

    alpha: Tensor

    @property
    def strength(self) -> Tensor:
        """S = sum of alpha over classes, (B, 1, ...)."""
        return self.alpha.sum(1, keepdim=True)

    @property
    def probability(self) -> Tensor:
        """p = alpha / S, (B, C, ...)."""
        return self.alpha / self.strength

    @property
    def vacuity(self) -> Tensor:
        """u = C / S in (0, 1], (B, ...)."""
        return self.alpha.shape[1] / self.alpha.sum(1)


def dirichlet(logits: Tensor) -> Dirichlet:
    """alpha = softplus(logit) + 1. Half-precision logits are widened first."""
    wide = logits if logits.dtype == torch.float64 else logits.float()
    return Dirichlet(softplus(wide) + 1.0)


def to_one_hot(labels: Tensor, classes: int) -> Tensor:
    """(B, ...) integer labels to (B, C, ...) float32."""
    return one_hot(labels.long(), classes).movedim(-1, 1).float()


def adjusted_cross_entropy(belief: Dirichlet, target: Tensor, form: str = "digamma") -> Tensor:
    """ACE a voxel and class before the sum over classes, (B, C, ...), so that weights a class can multiply it.

    ``digamma``: y (psi(S) - psi(alpha)); ``log``: y (ln S - ln alpha);
    ``mse``: (y - p)^2 + alpha (S - alpha) / (S^2 (S + 1)).
    """
    alpha, strength = belief.alpha, belief.strength
    if form == "digamma":
        return target * (torch.digamma(strength) - torch.digamma(alpha))
    if form == "log":
        return target * (strength.log() - alpha.log())
    if form == "mse":
        variance = alpha * (strength - alpha) / (strength**2 * (strength + 1.0))
        return (target - belief.probability) ** 2 + variance
    raise ValueError(f"ace must be 'digamma', 'log' or 'mse', got {form!r}")


def kl_to_uniform(belief: Dirichlet, target: Tensor) -> Tensor:
    """KL of the misleading evidence (the right class's is removed) to the uniform Dirichlet, (B, ...)."""
    misleading = (belief.alpha - 1.0) * (1.0 - target) + 1.0
    total = misleading.sum(1, keepdim=True)
    classes = torch.tensor(float(misleading.shape[1]), dtype=misleading.dtype, device=misleading.device)
    excess = (misleading - 1.0) * (torch.digamma(misleading) - torch.digamma(total))
    log_beta = torch.lgamma(total).squeeze(1) - torch.lgamma(misleading).sum(1) - torch.lgamma(classes)
    return log_beta + excess.sum(1)


def region_score(probability: Tensor, target: Tensor, detach_weight: bool = False) -> Tensor:
    """D_c, (C,): Tversky score a class over the whole batch whose weight follows its own errors.

    A = clip(FP / (FP + FN), 0.2, 0.8) leans towards whichever error dominates.
    """
    axes = [0, *range(2, probability.ndim)]
    soft_target = target + SMOOTH_TARGET
    hit = (probability * soft_target).sum(axes)
    false_positive = (probability * (1.0 - soft_target)).sum(axes)
    false_negative = ((1.0 - probability) * soft_target).sum(axes)
    weight = (false_positive / (false_positive + false_negative + SMOOTH_RATIO)).clamp(0.2, 0.8)
    weight = weight.detach() if detach_weight else weight
    return hit / (hit + weight * false_positive + (1.0 - weight) * false_negative + SMOOTH_RATIO)


@dataclass(frozen=True)
class EvidentialLoss:
    """L_Seg in its two published criteria.

    ``edl_a``: 10 mean(ACE) + lambda mean(KL) + 10 mean_c(1 - D_c).
    ``edl``: mean(ACE) + lambda mean(KL) + (1 - a0) mean_c(1 - D_c), a0 = 0.01^(1 - epoch / epochs).
    lambda = min(1, epoch / kl_anneal_epochs), 1 from the start with ``kl_anneal_epochs`` 0.
    With ``weighting``, w_ic multiplies the class terms of ACE, and mean_i w_ic those of the region term; not KL.
    """

    criterion: str = "edl_a"
    ace: str = "digamma"
    kl_anneal_epochs: float = KL_ANNEAL_EPOCHS
    epochs: float = 100.0
    weighting: DuoWeighting | None = None

    def __post_init__(self) -> None:
        if self.criterion not in ("edl_a", "edl"):
            raise ValueError(f"criterion must be 'edl_a' or 'edl', got {self.criterion!r}")

    def parts(self, logits: Tensor, target: Tensor, epoch: float) -> dict[str, Tensor]:
        """Weighted parts ``ace``, ``kl`` and ``region`` of the loss; their sum is L_Seg.

        Args:
            logits: (B, C, ...) raw network outputs.
            target: (B, C, ...) one-hot reference.
            epoch: position in the schedule, from 0; fractions are allowed.
        """
        belief = dirichlet(logits)
        weights = self.weighting(logits, epoch) if self.weighting else None
        terms = adjusted_cross_entropy(belief, target, self.ace)
        ace = (terms if weights is None else terms * over_voxels(weights, terms)).sum(1).mean()
        annealed = min(1.0, epoch / self.kl_anneal_epochs) if self.kl_anneal_epochs > 0 else 1.0
        kl = kl_to_uniform(belief, target).mean() * annealed
        missed = 1.0 - region_score(belief.probability, target)
        region = (missed if weights is None else missed * over_batch(weights)).mean()
        if self.criterion == "edl_a":
            return {"ace": 10.0 * ace, "kl": kl, "region": 10.0 * region}
        return {"ace": ace, "kl": kl, "region": (1.0 - 0.01 ** (1.0 - epoch / self.epochs)) * region}

    def __call__(self, logits: Tensor, target: Tensor, epoch: float) -> Tensor:
        """The scalar L_Seg."""
        return torch.stack(list(self.parts(logits, target, epoch).values())).sum()
