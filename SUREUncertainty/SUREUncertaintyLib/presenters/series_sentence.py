"""What a series of noise says, in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..analysis.noise_series import LevelRow, breaking_level
from . import texts


def series_sentence(rows: Sequence[LevelRow], translate: Callable[[str], str]) -> str:
    """One sentence about a series."""
    if not rows or rows[0].agreement != rows[0].agreement:
        return translate(texts.SERIES_EMPTY)
    level = breaking_level(rows)
    if level is None:
        return translate(texts.SERIES_HOLDS).format(level=max(row.level for row in rows))
    return translate(texts.SERIES_BREAKS).format(level=level)
