"""How the sentences of the warnings are filled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import notice_texts as texts
from .rows import Notice


def say(code: str, **facts: object) -> Notice:
    """The warning of a code with its facts."""
    return Notice(code, texts.TEXTS[code].format(**facts))


def listed(names: Sequence[str]) -> str:
    """Names in one phrase."""
    return "; ".join(names)


def lengths(values: Iterable[float], digits: int, between: str = " x ") -> str:
    """Lengths with that many decimals, and two places of what would be nothing with them."""
    return between.join(f"{value:.{digits}f}" if value >= 10.0**-digits else f"{value:.2g}" for value in values)


def span(values: tuple[float, float], digits: int) -> str:
    """A range, or one number where both ends read alike."""
    low, high = (f"{value:.{digits}f}" for value in values)
    return low if low == high else f"{low} to {high}"
