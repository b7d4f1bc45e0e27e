"""Uncertainty that tells how good a result is: near the boundary it is, on average, proportional to the loss of Dice.

Our addition. The published relations order uncertainty within a scan, and along a level of noise; nothing in them makes
the uncertainty of two scans, or of two kinds of damage, comparable. With the label at hand the Dice of a pass is known,
and the mean uncertainty of the same pass can follow it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...metrics.overlap import dice
from .geometry import SampleGeometry

LEAST_LOSS = 0.02
"""A result better than this counts as this: the logarithm of a loss of 0 has no end."""
SHARED = 0.1
"""Weight of the error that all passes of a scan share. What tells them apart is the damage; the shared part is mostly
the chance of the scan, and with full weight the head learns one constant."""


def scan_uncertainty_loss(
    uncertainties: Sequence[Tensor],
    predicted: Sequence[Tensor],
    label: Tensor,
    geometries: Sequence[SampleGeometry | None],
    per_loss: float,
) -> Tensor:
    """Mean over samples of the variance of e over the passes and ``SHARED`` times the square of its mean.

    e = ln u_near - ln (k (1 - Dice)), u_near the mean of u where d <= t.

    Args:
        uncertainties: u (B, ...) of every pass; predicted: its most probable classes.
        label: (B, ...) integers.
        per_loss: k, the mean uncertainty at a Dice of 0.
    """
    return follow_losses(uncertainties, dice_losses(predicted, label), geometries, per_loss)


def dice_losses(predicted: Sequence[Tensor], label: Tensor) -> list[list[float]]:
    """Of every sample what every pass loses: 1 - Dice of its most probable classes (B, ...) with the label (B, ...)."""
    return [[1.0 - mean_dice(classes[n], label[n]) for classes in predicted] for n in range(len(label))]


def follow_losses(
    uncertainties: Sequence[Tensor],
    losses: Sequence[Sequence[float]],
    geometries: Sequence[SampleGeometry | None],
    per_loss: float,
) -> Tensor:
    """As ``scan_uncertainty_loss``, where it is known what every pass of every sample has lost."""
    parts = []
    for n, geometry in enumerate(geometries):
        if geometry is not None:
            near = torch.stack([u[n][geometry.near].mean() for u in uncertainties])
            error = near.log() - torch.log(near.new_tensor([max(x, LEAST_LOSS) for x in losses[n]]) * per_loss)
            parts.append(error.var(correction=0) + SHARED * error.mean().square())
    return torch.stack(parts).mean() if parts else uncertainties[0].sum() * 0.0


def mean_dice(predicted: Tensor, label: Tensor) -> float:
    """Mean Dice of the structures that the label (...) holds; background is none, and 1 where there is nothing else."""
    ours, theirs = predicted.cpu().numpy(), label.cpu().numpy()
    scores = [dice(ours == structure, theirs == structure) for structure in np.unique(theirs[theirs > 0])]
    return sum(scores) / len(scores) if scores else 1.0
