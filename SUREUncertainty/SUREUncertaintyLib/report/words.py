"""What the words of a page mean: headings lead to their meaning, which stands at the end of the same file.

A page is one file without links to elsewhere, so the meanings are in it; pictures of them are in ``docs/glossary.md``.
"""

from __future__ import annotations

import re
from html import escape

from ..core.glossary import (
    ADDRESS,
    AGREEMENT,
    CALIBRATION_ERROR,
    DIAMETER,
    DICE,
    DOUBLING_TIME,
    EDGE_CORRELATION,
    ERROR_DETECTION,
    GROWTH,
    HARDNESS,
    NOISE_ORDER,
    ORDERED_PAIRS,
    PAGE,
    PERCEPTION_SCALE,
    PREDICTED_DICE,
    REGION,
    SURFACE_DISTANCE,
    TERMS,
    THRESHOLD,
    UNCERTAINTY,
    VOLUME_RANGE,
    Term,
)
from ..core.wording import METRIC_NAMES

TITLE = "What the words mean"
ANCHOR = "word-"
_METRICS = {
    "dice": DICE,
    "hd95_mm": SURFACE_DISTANCE,
    "ece": CALIBRATION_ERROR,
    "auroc_error": ERROR_DETECTION,
    "range_coverage": VOLUME_RANGE,
}
HEADINGS: dict[str, Term] = {
    "Predicted Dice": PREDICTED_DICE,
    "Range (ml)": VOLUME_RANGE,
    "Growth": GROWTH,
    "Volume-doubling time (days)": DOUBLING_TIME,
    "Axial, first (mm)": DIAMETER,
    "Longest axial diameter (mm)": DIAMETER,
    "Longest diameter (mm)": DIAMETER,
    "Uncertain voxels": THRESHOLD,
    "Mean uncertainty": UNCERTAINTY,
    "Perception scale": PERCEPTION_SCALE,
    "Hardness": HARDNESS,
    "Place": REGION,
    "Agreement": AGREEMENT,
    "Agreement (Dice)": AGREEMENT,
    "Agreement HD95 (mm)": SURFACE_DISTANCE,
    "HD95 to label (mm)": SURFACE_DISTANCE,
    "Dice with label": DICE,
    "More noise, more uncertain: share of pairs (UR*)": ORDERED_PAIRS,
    "Uncertainty follows noise (tau)": NOISE_ORDER,
    **{METRIC_NAMES[key]: term for key, term in _METRICS.items()},
    **{name: EDGE_CORRELATION for name in METRIC_NAMES.values() if name.endswith("(UCC)")},
    **{name: ORDERED_PAIRS for name in METRIC_NAMES.values() if name.endswith(("(UR)", "(UR*)"))},
}
"""What a heading of a table or the name of a metric leads to."""


def linked(name: str) -> str:
    """A heading as HTML: a link to its meaning, where it has one."""
    term = HEADINGS.get(name)
    return escape(name) if term is None else link_to(term, name)


def link_to(term: Term, text: str) -> str:
    """Some words, plain text, that lead to the meaning of a term."""
    return f'<a class="word" href="#{ANCHOR}{term.key}">{escape(text)}</a>'


def meanings(content: str) -> str:
    """The section that explains every word to which the HTML ``content`` has a link; empty without any."""
    wanted = set(re.findall(rf'href="#{ANCHOR}([a-z-]+)"', content))
    entries = "".join(
        f'<dt id="{ANCHOR}{term.key}">{escape(term.heading)}</dt><dd>{escape(term.meaning)}</dd>'
        for term in TERMS
        if term.key in wanted
    )
    if not entries:
        return ""
    where = f"A picture of each: {PAGE} among the program's files, or {ADDRESS.removeprefix('https://')}"
    return (
        f'<details class="section words"><summary><h2>{TITLE}</h2></summary><dl>{entries}</dl>'
        f'<p class="quiet">{escape(where)}</p></details>'
    )
