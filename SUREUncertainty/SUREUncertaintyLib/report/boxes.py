"""Where boxes were drawn or found, and where they came to rest, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STILL_MM = 0.5
"""A box that moved less than this stayed where it was, for people."""


def box_sentences(document: Mapping[str, Any]) -> list[str]:
    """One sentence for each box of ``report.json`` that followed its structure; none for those that stayed."""
    return [_sentence(box) for box in document.get("boxes", ()) if box["moved_mm"] >= STILL_MM]


def _sentence(box: Mapping[str, Any]) -> str:
    ends = zip("RAS", box["used"]["low_ras_mm"], box["used"]["high_ras_mm"], strict=True)
    place = ", ".join(f"{axis} {low:.1f} to {high:.1f}" for axis, low, high in ends)
    moved = f"The box '{box['name']}' followed the structure by {box['moved_mm']:.1f} mm to {place} mm"
    if box["rests"]:
        return moved + "."
    return moved + " and did not come to rest; what its last two places differ in is part of the map and the range."
