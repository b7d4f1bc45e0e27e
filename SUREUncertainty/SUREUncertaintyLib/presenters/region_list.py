"""The list of uncertain regions as rows and sentences."""

from __future__ import annotations

from collections.abc import Callable

from ..analysis.rows import UncertainRegion
from . import texts

HEADERS = ("Reviewed", "Structure", "Size (mm3)", "Mean uncertainty", "Score (mm3)")


def region_cells(region: UncertainRegion) -> tuple[str, ...]:
    """A place as a row under ``HEADERS``."""
    numbers = (f"{region.size_mm3:.0f}", f"{region.mean_uncertainty:.2f}", f"{region.score:.1f}")
    return (str(region.rank), region.structure, *numbers)


def region_text(region: UncertainRegion, count: int, translate: Callable[[str], str]) -> str:
    """Where the views are, in words."""
    return translate(texts.REGION).format(
        rank=region.rank,
        count=count,
        structure=region.structure,
        size=region.size_mm3,
        mean=region.mean_uncertainty,
    )
