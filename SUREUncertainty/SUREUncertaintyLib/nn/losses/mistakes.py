"""Uncertainty where the network is wrong, and uncertainty that stays near what the segmentation says by itself: both
our addition.

Where only an evidence-scaling head learns (``nn.evidence_scale``), the segmentation loss has nothing left to teach;
these two take its place. Mistakes are those on the training images, clean and damaged, with the label at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from .geometry import SampleGeometry
from .settings import SureSettings

PAIRS = 2000


def mistake_margin_loss(
    uncertainties: Sequence[Tensor], wrong: Sequence[Tensor], settings: SureSettings, generator: torch.Generator
) -> Tensor:
    """Mean over passes and random pairs of max(0, m - (ln u_i - ln u_j)), voxel i wrong, j right; 0 without mistakes.

    Args:
        uncertainties: u (B, ...) of every pass.
        wrong: (B, ...) bool of every pass: the most probable class is not the label's.
    """
    losses = [
        _pairs(u.log().flatten(), mask.flatten(), settings.margin_mistake, generator)
        for u, mask in zip(uncertainties, wrong, strict=True)
        if bool(mask.any()) and not bool(mask.all())
    ]
    return torch.stack(losses).sum() / len(uncertainties) if losses else uncertainties[0].sum() * 0.0


def _pairs(log_u: Tensor, wrong: Tensor, margin: float, generator: torch.Generator) -> Tensor:
    first, second = (_draw(mask, generator) for mask in (wrong, ~wrong))
    return (margin - (log_u[first] - log_u[second])).clamp(min=0.0).mean()


def _draw(mask: Tensor, generator: torch.Generator) -> Tensor:
    """``PAIRS`` places of the mask at random, with repetition."""
    places = torch.nonzero(mask)[:, 0]
    return places[torch.randint(len(places), (PAIRS,), generator=generator).to(places.device)]


@contextmanager
def recorded_factors(network: nn.Module) -> Iterator[list[Tensor]]:
    """What the evidence-scaling head gives at every pass inside, each (B, 1, ...); nothing without such a head."""
    factors: list[Tensor] = []
    head = getattr(network, "scale", None)
    if head is None:
        yield factors
        return
    hook = head.register_forward_hook(lambda _module, _inputs, output: factors.append(output))
    try:
        yield factors
    finally:
        hook.remove()


def anchor_loss(factor: Tensor, geometries: Sequence[SampleGeometry | None]) -> Tensor:
    """Mean over the voxels with d <= t of (ln factor)^2: u there is about the segmentation's own, divided by it."""
    squared = factor.float().log().square()[:, 0]
    parts = [values[g.near] for values, g in zip(squared, geometries, strict=True) if g is not None]
    return torch.cat(parts).mean() if parts else squared.sum() * 0.0
