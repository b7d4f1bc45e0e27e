"""A region of interest: a box in the patient's RAS millimetres."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Roi:
    """An axis-aligned box. ``low`` and ``high`` are RAS corners in mm, low < high on every axis."""

    name: str
    low: tuple[float, float, float]
    high: tuple[float, float, float]
