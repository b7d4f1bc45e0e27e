"""The relations P1, P2 and P3 as margins on log u: our own form of L_gu, L_mu and L_d.

The published products weigh a violation by its size, so that many voxels with a small one hardly count; a network that
is sure everywhere (u near 0.06) then keeps the wrong order nearly everywhere. Here every voxel counts alike, on a scale
that does not depend on how large u is, and order alone is not enough: uncertainty has to rise by a margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .geometry import SampleGeometry
from .gradient_uncertainty import choose_pairs
from .noise_uncertainty import Centres, read_centres
from .settings import SureSettings


def margin_parts(
    clean: Tensor,
    noisy: tuple[Tensor, Tensor],
    levels: tuple[float, float],
    centres: Sequence[Tensor],
    geometries: Sequence[SampleGeometry | None],
    settings: SureSettings,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """The parts ``gradient``, ``mu``, ``distance`` and ``far`` in margin form, not yet weighted by beta and gamma.

    Args:
        clean, noisy: uncertainty maps (B, ...).
        levels: the two noise levels.
        centres: (n, dims) voxels of every sample at which the noise relations are read.
    """
    samples = read_centres(clean, noisy, centres, geometries, settings)
    zero = clean.sum() * 0.0
    return {
        "gradient": gradient_margin_loss(clean, geometries, settings, generator),
        "mu": settings.c_mu * (level_margin_loss(samples, *levels, settings) if samples else zero),
        "distance": settings.c_d * (distance_margin_loss(samples, *levels, settings) if samples else zero),
        "far": settings.c_far * far_margin_loss((clean, *noisy), geometries, settings),
    }


def gradient_margin_loss(
    uncertainty: Tensor,
    geometries: Sequence[SampleGeometry | None],
    settings: SureSettings,
    generator: torch.Generator,
) -> Tensor:
    """Mean over cases and pairs of the band of max(0, m |r_i - r_j| - (ln u_j - ln u_i)), r_i > r_j.

    r in [0, 1] is the rank of the gradient within the band, m ``margin_gradient``: from the flattest to the sharpest
    edge, u has to fall by the factor e^m.
    """
    losses = [
        _gradient_margin(g.gradient[g.band], u[g.band].log(), settings, generator)
        for u, g in zip(uncertainty, geometries, strict=True)
        if g is not None and int(g.band.sum()) > 1
    ]
    return torch.stack(losses).mean() if losses else uncertainty.sum() * 0.0


def _gradient_margin(gradient: Tensor, log_u: Tensor, settings: SureSettings, generator: torch.Generator) -> Tensor:
    first, second = choose_pairs(gradient, settings.pairs_per_case, generator)
    rank = torch.argsort(torch.argsort(gradient, stable=True)).to(log_u.dtype) / (gradient.numel() - 1)
    step = rank[first] - rank[second]
    fall = torch.sign(step) * (log_u[second] - log_u[first])
    return (settings.margin_gradient * step.abs() - fall).clamp(min=0.0).mean()


def level_margin_loss(samples: Sequence[Centres], first: float, second: float, settings: SureSettings) -> Tensor:
    """Sum over the pairs of levels (0, s1), (0, s2), (s1, s2) of the mean of max(0, m (1 - d/t) ds - d ln u), d <= t.

    m is ``margin_level``: at a boundary, one unit of noise has to raise u by the factor e^m; at its zone's edge, where
    ``distance_margin_loss`` wants the rise to have faded, it may not lower it.
    """
    near = [(s.clean.log(), s.first.log(), s.second.log(), 1.0 - s.distance / s.t) for s in map(_near, samples)]
    clean, low, high, share = (torch.cat([sample[k] for sample in near]) for k in range(4))
    if second < first:
        low, high, first, second = high, low, second, first
    rises = ((high - low, second - first), (low - clean, first), (high - clean, second))
    return torch.stack([_shortfall(rise, settings.margin_level * step * share) for rise, step in rises]).sum()


def distance_margin_loss(samples: Sequence[Centres], first: float, second: float, settings: SureSettings) -> Tensor:
    """Mean over images and levels of max(0, m s (d_b - d_a) / t - (R_a - R_b)), d_b > d_a, R = ln u_s - ln u.

    m is ``margin_distance``: how much faster u has to rise at a boundary than at its zone's edge.
    """
    per_image = [
        _fading(sample.distance / sample.t, noisy.log() - sample.clean.log(), settings.margin_distance * level)
        for sample in map(_near, samples)
        for noisy, level in ((sample.first, first), (sample.second, second))
    ]
    return torch.stack(per_image).mean()


def far_margin_loss(
    uncertainties: Sequence[Tensor], geometries: Sequence[SampleGeometry | None], settings: SureSettings
) -> Tensor:
    """Mean over passes and voxels of |ln u - ln u_far| where d > t, and of max(0, ln u_far - ln u) where d <= t.

    u_far is ``far_target``. Far away uncertainty has that value, and near a boundary it is never less: the relations
    alone leave the level of u open. Without ``far_floor`` it may also be less. On the logarithm, since the slope of u
    itself fades as u^2 where there is much evidence.
    """
    excess = [u.log() - math.log(settings.far_target) for u in uncertainties]
    if not settings.far_floor:
        excess = [part.clamp(min=0.0) for part in excess]
    parts = [
        torch.where(geometry.near, (-part[number]).clamp(min=0.0), part[number].abs()).mean()
        for part in excess
        for number, geometry in enumerate(geometries)
        if geometry is not None
    ]
    return torch.stack(parts).mean() if parts else excess[0].sum() * 0.0


def _near(sample: Centres) -> Centres:
    near = sample.distance <= sample.t
    return Centres(sample.clean[near], sample.first[near], sample.second[near], sample.distance[near], sample.t)


def _fading(distance: Tensor, rise: Tensor, margin: float) -> Tensor:
    """Neighbours in the random order of the points make the pairs."""
    half = distance.numel() // 2
    step = distance[half : 2 * half] - distance[:half]
    fall = torch.sign(step) * (rise[:half] - rise[half : 2 * half])
    return _shortfall(fall, margin * step.abs())


def _shortfall(rise: Tensor, wanted: Tensor) -> Tensor:
    return (wanted - rise).clamp(min=0.0).mean() if rise.numel() else rise.sum()
