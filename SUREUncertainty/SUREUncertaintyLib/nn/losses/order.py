"""Near a boundary, uncertainty in the order of the network's own entropy over small neighbourhoods: our addition.

Where nobody knows the mistakes, this is the best order that we know of: the class probabilities averaged over a voxel
and its neighbours before their entropy is taken. A network's own map is too narrow; mistakes lie beside its crest, too.
Only the order is asked for, not the height, which belongs to the relations with noise, blur and distance.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, avg_pool3d, cosine_similarity, pad

from .geometry import SampleGeometry
from .scaled_uncertainty import OutputKind, class_entropy, class_logarithms

LEAST_PROBABILITY = 1e-12


def order_loss(
    uncertainties: Sequence[Tensor], logits: Tensor, kind: OutputKind, geometries: Sequence[SampleGeometry]
) -> Tensor:
    """Mean over passes of 1 - Pearson's r of ln u and of ln of the neighbourhoods' entropy, where d <= t.

    Args:
        uncertainties: u (1, ...) of every pass; logits: (passes, channels, ...); geometries: of every pass.
    """
    with torch.no_grad():
        wanted = neighbourhood_entropy(logits, kind).log()
    passes = zip(uncertainties, wanted, geometries, strict=True)
    return torch.stack([1.0 - _correlation(u.log()[0][g.near], e[g.near]) for u, e, g in passes]).mean()


def neighbourhood_entropy(logits: Tensor, kind: OutputKind) -> Tensor:
    """Entropy (B, ...) of class probabilities that were smoothed with weights 1, 2, 1 along every axis."""
    probability = class_logarithms(logits, kind).exp()
    dims = probability.ndim - 2
    mean = avg_pool2d if dims == 2 else avg_pool3d
    wider = pad(probability, (1, 1) * dims, mode="replicate")
    return class_entropy(mean(mean(wider, 2, 1), 2, 1).clamp(min=LEAST_PROBABILITY).log())


def _correlation(first: Tensor, second: Tensor) -> Tensor:
    return cosine_similarity(first - first.mean(), second - second.mean(), 0)
