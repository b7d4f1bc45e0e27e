"""What the words of panel and page mean, for panel and page."""

from __future__ import annotations

from html import escape

from ..core.glossary import (
    ADDRESS,
    AGREEMENT,
    DIAMETER,
    DISAGREEMENT,
    EDGE_CORRELATION,
    ENTROPY,
    HARDNESS,
    HOW_FAR,
    LEVEL,
    ORDERED_PAIRS,
    PERCEPTION_SCALE,
    PREDICTED_DICE,
    REGION,
    RIM,
    SAMPLE,
    THRESHOLD,
    UNCERTAINTY,
    VACUITY,
    VOLUME_RANGE,
    WHICH_PARTS,
    Term,
)
from ..core.translation import Translate
from . import texts

SHOWN: tuple[Term, ...] = (
    UNCERTAINTY,
    VACUITY,
    ENTROPY,
    DISAGREEMENT,
    SAMPLE,
    LEVEL,
    WHICH_PARTS,
    HOW_FAR,
    RIM,
    THRESHOLD,
    REGION,
    VOLUME_RANGE,
    DIAMETER,
    PREDICTED_DICE,
    AGREEMENT,
    EDGE_CORRELATION,
    ORDERED_PAIRS,
    PERCEPTION_SCALE,
    HARDNESS,
)
"""Those that panel and page use."""


def shown_words() -> list[dict[str, str]]:
    """``key``, ``heading`` and ``meaning`` of every word."""
    return [{"key": term.key, "heading": term.heading, "meaning": str(term.meaning)} for term in SHOWN]


def words_html(translate: Translate) -> str:
    """All of them as rich text, and where their pictures are."""
    lines = [f"<b>{escape(_heading(term, translate))}</b><br>{escape(translate(term.meaning))}" for term in SHOWN]
    pictures = f'<a href="{ADDRESS}">{escape(translate(texts.PICTURES_OF_WORDS))}</a>'
    return "".join(f"<p>{line}</p>" for line in (*lines, pictures))


def _heading(term: Term, translate: Translate) -> str:
    name = translate(term.name)
    return f"{name[:1].upper()}{name[1:]}" + (f" ({term.symbol})" if term.symbol else "")
