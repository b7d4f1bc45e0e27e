"""How numbers are shown to people: command line, reports, panel and page round alike. Files keep every digit."""

from __future__ import annotations

import math


def decimals(value: float | None, digits: int = 2, absent: str = "") -> str:
    """The number rounded to so many decimals; ``absent`` for None and what is not finite."""
    return absent if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def significant(value: float | None, absent: str = "") -> str:
    """The number rounded to three significant digits, from 100 on to a whole one; never as a power of ten above 1."""
    if value is None or not math.isfinite(value):
        return absent
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
