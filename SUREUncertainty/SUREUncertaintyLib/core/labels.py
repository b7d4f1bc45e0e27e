"""The classes of a segmentation: value, name, colour and the codes that other programs know them by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One coded concept: value, scheme, meaning; for instance ("10200004", "SCT", "Liver")."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Label:
    """One class. ``color`` is RGB in 0..1; category and type as Slicer's terminology wants them."""

    value: int
    name: str
    color: tuple[float, float, float] = (0.5, 0.5, 0.5)
    category: Code | None = None
    type: Code | None = None
    modifier: Code | None = None
