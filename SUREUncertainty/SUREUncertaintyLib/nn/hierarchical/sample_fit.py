"""How well one answer, the mean of samples, or samples together fit a reader's label."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..duo_weighting import over_batch
from ..evidential import to_one_hot

TINY = 1e-10
LEAST_LIKELIHOOD = 1e-6


def fit(logits: Tensor, label: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
    """Cross-entropy and Dice loss of one answer; ``weights`` (B, C) on the class terms."""
    target = to_one_hot(label, logits.shape[1])
    return weighted_cross_entropy(logits, label, weights), soft_dice_loss(logits.softmax(1), target, weights)


def mean_fit(samples: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and Dice loss of the mean of probabilities (N, B, C, ...)."""
    mean = samples.mean(0)
    target = to_one_hot(label, mean.shape[1])
    likelihood = (mean * target).sum(1).clamp_min(LEAST_LIKELIHOOD)
    return -likelihood.log().mean(), soft_dice_loss(mean, target)


def energy_score(samples: Tensor, label: Tensor) -> Tensor:
    """2 mean d(s, y) - mean d(s, s') over different samples: least, in the mean over readers, when both agree.

    d = 1 - sum min(a, b) / sum max(a, b) of two probability maps of a structure, which is 1 - IoU for masks; mean over
    structures and images. (T. Gneiting, A. Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA
    2007; with d = 1 - IoU and all readers it is GED^2 but for the readers' own term.)

    Args:
        samples: probabilities (N, B, C, ...) of at least two draws; label: (B, ...) integers.
    """
    structures = samples[:, :, 1:]
    target = to_one_hot(label, samples.shape[2])[:, 1:].to(samples.dtype)
    to_reader = torch.stack([_soft_distance(sample, target) for sample in structures]).mean()
    between = torch.stack([_soft_distance(a, b) for a, b in combinations(structures, 2)]).mean()
    return 2.0 * to_reader - between


def _soft_distance(first: Tensor, second: Tensor) -> Tensor:
    """1 - sum min / sum max of maps (B, C, ...), mean over both; two empty maps are at distance 0."""
    shared, either = (part.flatten(2).sum(2) for part in (torch.minimum(first, second), torch.maximum(first, second)))
    return (1.0 - (shared + TINY) / (either + TINY)).mean()


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
