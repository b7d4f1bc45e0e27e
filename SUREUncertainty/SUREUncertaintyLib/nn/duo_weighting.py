"""The perception scale of a network's own class maps, batched, and the weights that DUO makes of it.

Same formula as ``analysis.perception_scale``, on tensors. Source: Li, Liu, Jiao et al., CVPR 2026 (arXiv 2604.10963),
restated in our own words; defaults that it leaves open are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

REFERENCE_EPSILON = 1e-6


def perception_scale(maps: Tensor, power: int = 2, axis: int = 0) -> Tensor:
    """S of every map, detached.

    Args:
        maps: (B, C, spatial axes); a 3D map becomes D x (H W), a 2D one H x W.
        power: as ``analysis.perception_scale``.
        axis: which spatial axis is D.

    Returns:
        (B, C) float64; NaN for a map that is zero everywhere, not finite, or has r = 1.
    """
    with torch.no_grad():
        rows = maps.detach().movedim(2 + axis, 2).flatten(3).double()
        rank = min(rows.shape[2], rows.shape[3])
        if rank < 2:
            return rows.new_full(rows.shape[:2], math.nan)
        if rows.shape[2] > rows.shape[3]:
            rows = rows.transpose(2, 3)
        usable = rows.isfinite().all(-1).all(-1) & (rows.abs().amax((-1, -2)) > 0)
        gram = torch.where(usable[..., None, None], rows @ rows.transpose(2, 3), torch.eye(rank).to(rows))
        squared = torch.linalg.eigvalsh(gram).clamp_min(0.0)
        weights = squared if power == 2 else squared.sqrt() + REFERENCE_EPSILON
        share = weights / weights.sum(-1, keepdim=True)
        scale = torch.special.entr(share).sum(-1) / math.log(rank)
        return torch.where(usable, scale.clamp(0.0, 1.0), math.nan)


def duo_weights(scale: Tensor, alpha: float, normalise_mean: bool = True) -> Tensor:
    """w = 1 / (1 + alpha S), (B, C) for foreground classes; 1 where S is undefined.

    ``normalise_mean`` divides by the mean over the batch, so that alpha does not change the learning rate.
    """
    weights = torch.nan_to_num(1.0 / (1.0 + alpha * scale), nan=1.0)
    return weights / weights.mean() if normalise_mean else weights


@dataclass
class DuoWeighting:
    """Weights w_ic of the per-class terms of a loss, from the logits of the step itself.

    The background keeps the weight 1. No gradient flows through S: 1 / (1 + alpha S) would else reward a flat map.

    Attributes:
        first_epoch: before it every weight is 1, because early maps are noise.
        activation: ``"none"`` (logits), ``"sigmoid"`` or ``"softmax"``: what S is taken of.
        axis: which spatial axis of the tensors is D.
        most_classes: with more foreground classes, a random part of them is weighted at each step.
        last: mean S and weight by class at the last call, for the log.
    """

    alpha: float = 0.5
    normalise_mean: bool = True
    first_epoch: float = 0.0
    activation: str = "none"
    power: int = 2
    axis: int = 0
    most_classes: int = 32
    last: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.activation not in ("none", "sigmoid", "softmax"):
            raise ValueError(f"activation must be 'none', 'sigmoid' or 'softmax', got {self.activation!r}")
        if self.alpha < 0.0 or self.power not in (1, 2):
            raise ValueError("alpha must not be below 0, and power must be 1 or 2")

    def __call__(self, logits: Tensor, epoch: float) -> Tensor | None:
        """(B, C) weights in the logits' dtype, or None while every weight is 1."""
        if epoch < self.first_epoch:
            return None
        chosen = self._chosen(logits.shape[1] - 1, epoch)
        scale = logits.new_full((logits.shape[0], logits.shape[1] - 1), math.nan, dtype=torch.float64)
        scale[:, chosen] = perception_scale(self._maps(logits.detach())[:, 1:][:, chosen], self.power, self.axis)
        weights = duo_weights(scale, self.alpha, self.normalise_mean)
        self._remember(scale, weights)
        return torch.cat([torch.ones_like(weights[:, :1]), weights], 1).to(logits.dtype)

    def _maps(self, logits: Tensor) -> Tensor:
        if self.activation == "softmax":
            return logits.softmax(1)
        return logits.sigmoid() if self.activation == "sigmoid" else logits

    def _chosen(self, classes: int, epoch: float) -> Tensor:
        if classes <= self.most_classes:
            return torch.arange(classes)
        generator = torch.Generator().manual_seed(int(epoch * 1e6))
        return torch.randperm(classes, generator=generator)[: self.most_classes]

    def _remember(self, scale: Tensor, weights: Tensor) -> None:
        pairs = enumerate(zip(scale.nanmean(0).tolist(), weights.mean(0).tolist(), strict=True), start=1)
        self.last = {}
        for number, (mean_scale, mean_weight) in pairs:
            self.last |= {f"duo_scale_{number}": mean_scale, f"duo_weight_{number}": mean_weight}


def over_voxels(weights: Tensor, like: Tensor) -> Tensor:
    """(B, C) weights in a shape that multiplies (B, C, spatial axes)."""
    return weights.reshape(*weights.shape, *[1] * (like.ndim - 2))


def over_batch(weights: Tensor) -> Tensor:
    """(C,) weights for terms that a loss takes over the whole batch: the mean over its samples."""
    return weights.mean(0)
