"""L_nu: near a boundary more noise means more uncertainty, the rise fades with distance, far away there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .geometry import SampleGeometry
from .settings import SureSettings


@dataclass(frozen=True)
class Centres:
    """Values at the patch centres of one sample, each (n,): uncertainty clean and under both levels, distance."""

    clean: Tensor
    first: Tensor
    second: Tensor
    distance: Tensor
    t: float


def level_loss(samples: Sequence[Centres], first: float, second: float) -> Tensor:
    """L_mu = - sum_k mean{q_k : q_k < 0} over all images and patches, 0 for an empty set.

    q1 = (u_s2 - u_s1)(s2 - s1) w, q2 = (u_s1 - u) s1 w, q3 = (u_s2 - u) s2 w with w = [d <= t].
    """
    terms = [_level_products(sample, first, second) for sample in samples]
    products = [torch.cat([term[k] for term in terms]) for k in range(3)]
    return -torch.stack([_mean_where(product, product < 0) for product in products]).sum()


def _level_products(sample: Centres, first: float, second: float) -> tuple[Tensor, Tensor, Tensor]:
    weight = (sample.distance <= sample.t).to(sample.clean.dtype)
    return (
        (sample.second - sample.first) * (second - first) * weight,
        (sample.first - sample.clean) * first * weight,
        (sample.second - sample.clean) * second * weight,
    )


def distance_loss(samples: Sequence[Centres]) -> Tensor:
    """L_d = mean over images of the sum over both levels of mean{r : r > 0} over pairs of patches a, b.

    r = (d_b - d_a)(Delta_b - Delta_a), Delta = u_s - u where d <= t, else 0.
    """
    per_image = [_rise_loss(s, s.first) + _rise_loss(s, s.second) for s in samples]
    return torch.stack(per_image).mean()


def _rise_loss(sample: Centres, noisy: Tensor) -> Tensor:
    rise = torch.where(sample.distance <= sample.t, noisy - sample.clean, torch.zeros_like(noisy))
    n = rise.numel()
    if n < 2:
        return rise.sum() * 0.0
    a, b = torch.triu_indices(n, n, offset=1, device=rise.device)
    product = (sample.distance[b] - sample.distance[a]) * (rise[b] - rise[a])
    return _mean_where(product, product > 0)


def far_loss(uncertainties: Sequence[Tensor], geometries: Sequence[SampleGeometry | None]) -> Tensor:
    """L_far = mean over the voxels with d > t of the sum of all passes' uncertainty, 0 if there are none.

    Args:
        uncertainties: (B, ...) a pass: clean, first level, second level; all carry gradient.
    """
    total = torch.stack(list(uncertainties)).sum(0)
    parts = [u[~g.near] for u, g in zip(total, geometries, strict=True) if g is not None]
    values = torch.cat(parts) if parts else total.reshape(-1)[:0]
    return values.mean() if values.numel() else total.sum() * 0.0


def _mean_where(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the chosen values; 0 that still belongs to the graph for an empty choice."""
    chosen = values[mask]
    return chosen.mean() if chosen.numel() else values.sum() * 0.0


def noise_uncertainty_loss(
    clean: Tensor,
    noisy: tuple[Tensor, Tensor],
    levels: tuple[float, float],
    centres: Sequence[Tensor],
    geometries: Sequence[SampleGeometry | None],
    settings: SureSettings,
) -> dict[str, Tensor]:
    """The weighted parts ``mu``, ``distance`` and ``far`` of L_nu; their sum is L_nu.

    Args:
        clean, noisy: uncertainty maps (B, ...).
        levels: the two noise levels.
        centres: (n, dims) patch centres of every sample.
    """
    samples = read_centres(clean, noisy, centres, geometries, settings)
    zero = clean.sum() * 0.0
    return {
        "mu": settings.c_mu * (level_loss(samples, *levels) if samples else zero),
        "distance": settings.c_d * (distance_loss(samples) if samples else zero),
        "far": settings.c_far * far_loss((clean, *noisy), geometries),
    }


def read_centres(
    clean: Tensor,
    noisy: tuple[Tensor, Tensor],
    centres: Sequence[Tensor],
    geometries: Sequence[SampleGeometry | None],
    settings: SureSettings,
) -> list[Centres]:
    """Values at the centres of every sample that has a boundary; arguments as in ``noise_uncertainty_loss``."""
    constant = clean.detach() if settings.detach_clean else clean
    return [
        _at(constant[i], noisy[0][i], noisy[1][i], centres[i], geometry)
        for i, geometry in enumerate(geometries)
        if geometry is not None and len(centres[i])
    ]


def _at(clean: Tensor, first: Tensor, second: Tensor, centres: Tensor, geometry: SampleGeometry) -> Centres:
    index = tuple(centres.T)
    return Centres(clean[index], first[index], second[index], geometry.distance[index], geometry.t)
