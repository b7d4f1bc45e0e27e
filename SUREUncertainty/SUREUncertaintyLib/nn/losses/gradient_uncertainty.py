"""L_gu: near a boundary, a sharp edge is easy and a blurred one is hard, so u falls where the gradient rises."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .geometry import SampleGeometry
from .settings import SureSettings

BINS = 16


def gradient_uncertainty_loss(
    uncertainty: Tensor,
    geometries: Sequence[SampleGeometry | None],
    settings: SureSettings,
    generator: torch.Generator,
) -> Tensor:
    """Mean over cases of sum max(q, 0) / pairs, q = (g_i - g_j)(u_i - u_j) over pairs of the boundary band.

    Args:
        uncertainty: (B, ...) of the clean pass, carries gradient.
        geometries: one a sample; samples without a boundary are left out.
        generator: draws the pairs where a band has more than ``pairs_per_case`` of them.
    """
    seed = int(torch.randint(2**62, (1,), generator=generator))
    losses = [
        # every case draws from the same seed, so that the order of cases means nothing
        pair_loss(geometry.gradient[geometry.band], u[geometry.band], settings, torch.Generator().manual_seed(seed))
        for u, geometry in zip(uncertainty, geometries, strict=True)
        if geometry is not None
    ]
    return torch.stack(losses).mean() if losses else uncertainty.sum() * 0.0


def pair_loss(gradient: Tensor, uncertainty: Tensor, settings: SureSettings, generator: torch.Generator) -> Tensor:
    """L_gu of one band, both (n,); 0 with fewer than two voxels."""
    if gradient.numel() < 2:
        return uncertainty.sum() * 0.0
    first, second = choose_pairs(gradient, settings.pairs_per_case, generator)
    product = (gradient[first] - gradient[second]) * (uncertainty[first] - uncertainty[second])
    violation = product.clamp(min=0.0).sum()
    count = (product > 0).sum().clamp(min=1) if settings.denominator == "violating" else product.numel()
    return violation / count


def choose_pairs(gradient: Tensor, budget: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Indices of the pairs: all of them when they fit the budget, else a draw stratified by gradient.

    The draw takes the two voxels from different ones of 16 equal-count gradient bins, so that flat parts do not fill
    the budget with pairs that say nothing.
    """
    n = gradient.numel()
    if n * (n - 1) // 2 <= budget:
        first, second = torch.triu_indices(n, n, offset=1, device=gradient.device)
        return first, second
    order = torch.argsort(gradient, stable=True)
    bins = min(BINS, n)
    bin_a = torch.randint(bins, (budget,), generator=generator)
    bin_b = (bin_a + torch.randint(1, bins, (budget,), generator=generator)) % bins
    return order[_inside(bin_a, bins, n, generator)], order[_inside(bin_b, bins, n, generator)]


def _inside(bin_index: Tensor, bins: int, n: int, generator: torch.Generator) -> Tensor:
    """A uniform rank inside each bin of the sorted voxels."""
    low = bin_index * n // bins
    high = (bin_index + 1) * n // bins
    share = torch.rand(bin_index.shape, generator=generator, dtype=torch.float64)
    return low + (share * (high - low)).long()
