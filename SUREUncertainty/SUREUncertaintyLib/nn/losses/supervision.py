"""All relations in margin form at once, from the uncertainty maps of a clean pass and of two copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .geometry import SampleGeometry
from .margins import margin_parts
from .mistakes import mistake_margin_loss
from .scan_uncertainty import follow_losses
from .settings import SureSettings


@dataclass(frozen=True)
class JudgedPasses:
    """What is known of three passes: clean, and the copies at the first and the second level.

    Attributes:
        uncertainty: u (B, ...) of every pass.
        wrong: (B, ...) bool of every pass: where its answer counts as a mistake.
        losses: of every sample what every pass has lost of the Dice, 0 to 1.
        levels: of the two copies; centres: voxels (n, dims) of every sample at which their relations are read.
    """

    uncertainty: Sequence[Tensor]
    wrong: Sequence[Tensor]
    losses: Sequence[Sequence[float]]
    levels: tuple[float, float]
    centres: Sequence[Tensor]


def margin_supervision(
    passes: JudgedPasses,
    geometries: Sequence[SampleGeometry | None],
    settings: SureSettings,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """The parts ``gradient`` (of L_gu) and ``mu``, ``distance``, ``far``, ``mistakes``, ``scan`` (of L_nu).

    Weighted among one another, not yet by beta and gamma. ``settings`` are those for the kind of the copies.
    """
    clean, first, second = passes.uncertainty
    read = (clean, (first, second), passes.levels, passes.centres, geometries, settings, generator)
    parts = margin_parts(*read)
    if settings.c_mistake:
        mistakes = mistake_margin_loss(passes.uncertainty, passes.wrong, settings, generator)
        parts["mistakes"] = settings.c_mistake * mistakes
    if settings.c_scan:
        scan = follow_losses(passes.uncertainty, passes.losses, geometries, settings.uncertainty_per_loss)
        parts["scan"] = settings.c_scan * scan
    return parts
