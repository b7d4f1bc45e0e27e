"""How a result holds against damage of rising strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.volume import Volume
from ..corruptions.registry import CORRUPTIONS, apply_recipe, make_recipe
from ..metrics.overlap import dice

KINDS = tuple(name for name in CORRUPTIONS if name != "brightness")
"""What a panel offers. A brightness shift would do nothing to intensities that are normalised later."""

LEVELS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
BREAKS_BELOW = 0.9
NOTICES_FROM = 1.2
"""Mean uncertainty that has risen by a fifth counts as a warning."""


@dataclass(frozen=True)
class LevelRow:
    """One strength.

    Attributes:
        agreement: Dice of all structures together with the result at strength 0; NaN when both are empty.
        uncertainty: mean uncertainty over the structures of the result at strength 0.
        volume_ml: of all structures together.
    """

    level: float
    agreement: float
    uncertainty: float
    volume_ml: float


def damaged(scan: Volume, kind: str, strength: float, seed: int) -> NDArray[np.float32]:
    """The scan's intensities (k, j, i) under a corruption; the same seed gives the same noise at every strength.

    Corruptions of the network's input act on the z-scored scan, so that a strength means what it means elsewhere.

    Raises:
        InputError: unknown corruption, a strength outside 0..1, or a scan that the corruption cannot be applied to.
    """
    spacing = scan.grid.spacing_kji
    recipe = make_recipe(kind, strength, seed, scan.name, spacing)
    image = np.asarray(scan.array, np.float32)
    if recipe.space == "scan" or strength == 0.0:
        return apply_recipe(recipe, image, spacing)
    mean, spread = np.float32(image.mean()), np.float32(image.std() or 1.0)
    return apply_recipe(recipe, (image - mean) / spread, spacing) * spread + mean


def level_row(
    level: float,
    clean: NDArray[Any],
    labels: NDArray[Any],
    uncertainty: NDArray[Any],
    voxel_volume_mm3: float,
) -> LevelRow:
    """Compare the result at one strength with the clean one.

    Args:
        clean, labels: label maps (k, j, i) at strength 0 and at ``level``.
        uncertainty: 0..1 at ``level``, NaN where nothing was analysed.
    """
    where = clean != 0
    where_analysed = where & np.isfinite(uncertainty)
    mean = float(uncertainty[where_analysed].mean(dtype=np.float64)) if where_analysed.any() else float("nan")
    volume = float(np.count_nonzero(labels)) * voxel_volume_mm3 / 1000.0
    return LevelRow(level, dice(labels != 0, where), mean, volume)


def breaking_level(rows: Sequence[LevelRow]) -> float | None:
    """The lowest strength at which agreement falls below 0.9; None when it never does."""
    return next((row.level for row in sorted(rows, key=lambda row: row.level) if row.agreement < BREAKS_BELOW), None)


@dataclass(frozen=True)
class Notice:
    """What mean uncertainty did: ``before`` at strength 0 and ``after`` where the result breaks, or at the strongest
    level where it never does; ``noticed`` says whether it warned, None where there was nothing to warn of."""

    before: float
    after: float
    noticed: bool | None


def notice_of(rows: Sequence[LevelRow]) -> Notice:
    """Whether uncertainty noticed that the result broke; ``rows`` hold strength 0."""
    ordered = sorted(rows, key=lambda row: row.level)
    level = breaking_level(ordered)
    last = next((row for row in ordered if row.level == level), ordered[-1])
    before, after = ordered[0].uncertainty, last.uncertainty
    return Notice(before, after, None if level is None else bool(after >= NOTICES_FROM * before))
