"""The section of the report that says how hard the scan is for the model, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..core.glossary import PERCEPTION_SCALE
from .html_parts import number, section, share, table
from .words import link_to, linked

WIDTH, HEIGHT, MARGIN = 720, 74, 26
LINE, DOT, OUTSIDE = 34, 5, 0.03
NOTE = (
    "The perception scale says how flat the spectrum of the network's maps is, near 0 hard, near 1 easy for it; "
    "hardness turns that into 0 for the easiest and 1 for the hardest of the scans that this one is compared with. A "
    "small structure looks hard by itself, and so does a region that is cut larger than those. Hard means likely to go "
    "wrong here, not a bad scan."
)


def hardness(found: Sequence[Mapping[str, Any]]) -> str:
    """The section; empty where the model has nothing to compare with.

    Args:
        found: ``report.json``'s ``difficulty``, one entry a region.
    """
    if not found:
        return ""
    cards = "\n".join(_card(case, titled=len(found) > 1) for case in found)
    caution = escape(found[0].get("caution", ""))
    notes = f'<p class="quiet">{caution}</p>\n<p class="quiet">{escape(NOTE)}</p>'
    return section("How hard is this scan for the model?", f"{cards}\n{notes}")


def _card(case: Mapping[str, Any], titled: bool) -> str:
    title = f"<h3>{escape(case['region'])}</h3>" if titled else ""
    if case["scale"] is None or case["outside"]:
        return f'<div class="card">{title}<p>{escape(case["sentence"])}</p></div>'
    head = (
        f'<p class="headline">Harder than <b>{case["harder_than"]} of {case["count"]}</b> scans that the '
        f"model was not trained on</p><p>{_because(case)}</p>"
    )
    scale = link_to(PERCEPTION_SCALE, "perception scale")
    facts = f"{linked('Hardness')} {number(case['auv'])}, {scale} {case['scale']:.3f}"
    return f'<div class="card">{title}{head}{strip(case)}<p class="quiet">{facts}</p>{_measures(case)}</div>'


def _because(case: Mapping[str, Any]) -> str:
    """The sentence without its beginning, which the headline says already."""
    words = "; ".join(case["because"])
    if not words:
        words = "noise, blur, size and the edge of the image are as in most of those scans"
    return escape(f"{words[0].upper()}{words[1:]}.")


def strip(case: Mapping[str, Any]) -> str:
    """Every compared scan as a dot between easy and hard, and this scan among them, as SVG; empty without them."""
    others = [value for value in case.get("others", ()) if value]
    if len(others) < 2 or min(others) == max(others):
        return ""
    low, high = math.log(min(others)), math.log(max(others))
    dots = "".join(
        f'<circle cx="{_x((high - math.log(value)) / (high - low)):.1f}" cy="{LINE}" r="{DOT}"/>' for value in others
    )
    own = (high - math.log(max(case["scale"], 1e-8))) / (high - low)
    at = _x(min(max(own, -OUTSIDE), 1.0 + OUTSIDE))
    words = f"harder than {case['harder_than']} of {case['count']}"
    anchor = "start" if at < WIDTH / 3 else "end" if at > 2 * WIDTH / 3 else "middle"
    mark = (
        f'<path class="own" d="M{at:.1f} {LINE - 11} l7 11 l-7 11 l-7 -11 z"/>'
        f'<text class="own" x="{at:.1f}" y="14" text-anchor="{anchor}">this scan</text>'
    )
    return (
        f'<svg class="strip" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">'
        f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{LINE}" y2="{LINE}"/><g class="others">{dots}</g>{mark}'
        f'<text x="{MARGIN}" y="{HEIGHT - 8}">easier for the model</text>'
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 8}" text-anchor="end">harder</text></svg>'
    )


def _x(place: float) -> float:
    return MARGIN + place * (WIDTH - 2 * MARGIN)


def _measures(case: Mapping[str, Any]) -> str:
    if not case.get("measures"):
        return ""
    head = ("What can make a scan hard", "This scan", "Most of the others", "Worse than")
    rows = (
        [
            f"<b>{escape(entry['title'])}</b>" if entry["words"] else escape(entry["title"]),
            f"{entry['value']:.3g}",
            f"{entry['low']:.3g}" if entry["low"] == entry["high"] else f"{entry['low']:.3g} – {entry['high']:.3g}",
            share(entry["better"] / entry["count"]),
        ]
        for entry in case["measures"]
    )
    return table(head, rows)
