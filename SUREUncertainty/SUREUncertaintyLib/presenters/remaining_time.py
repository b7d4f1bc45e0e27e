"""How long a run will still take, in words."""

from __future__ import annotations

from ..core.translation import Translate
from . import texts

FIRST_ESTIMATE_SECONDS = 2.0
SMALLEST_SHARE = 0.05


def remaining_text(fraction: float, elapsed: float, translate: Translate = str) -> str:
    """Words for the rest of a run; empty while too little is known.

    Args:
        fraction: done so far, 0..1.
        elapsed: seconds since the start.
    """
    if fraction < SMALLEST_SHARE or elapsed < FIRST_ESTIMATE_SECONDS or fraction >= 1.0:
        return ""
    seconds = elapsed * (1.0 - fraction) / fraction
    if seconds < 90:
        return translate(texts.REMAINING_SECONDS).format(seconds=max(1, round(seconds)))
    return translate(texts.REMAINING_MINUTES).format(minutes=round(seconds / 60))
