"""The strengths of a series."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..core.errors import InputError
from ..corruptions.strengths import check_strength
from ..metrics.relations import NOISE_LEVELS

DEFAULT_LEVELS = NOISE_LEVELS
FEWEST = 3
"""Levels below which nothing is said about how uncertainty follows damage."""


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """The levels in rising order.

    Raises:
        InputError: none, one that stands twice, or one outside 0..1.
    """
    checked = sorted(check_strength(level) for level in levels)
    if not checked:
        raise InputError("There is no level to run. Give at least one, for instance --levels 0.1,0.3,0.5.")
    for low, high in pairwise(checked):
        if low == high:
            raise InputError(f"The level {low:g} stands twice in the list of levels. Give every level once.")
    return tuple(checked)


def parse_levels(text: str) -> tuple[float, ...]:
    """Levels from ``"0,0.1,0.5"``. Raises ``InputError``."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return check_levels([float(part) for part in parts])
    except ValueError:
        raise InputError(
            f"The levels '{text}' are not numbers. Give numbers from 0 to 1 with commas between them: 0,0.1,0.2."
        ) from None
