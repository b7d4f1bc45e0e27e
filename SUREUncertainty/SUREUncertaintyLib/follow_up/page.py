"""``report.html`` of two scans: what changed, how sure that is, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from ..core.wording import VERDICT_NAMES
from ..report.html_page import write_html
from ..report.html_parts import ABSENT, details, figure, paragraphs, section, table
from . import sentences as say

FILE = "report.html"
CAPTION = (
    "Sizes of the samples of both scans, as far apart as the model's interval of a size; lines are the answers. What "
    "overlaps is what two readers with nothing in common would leave open."
)


def write_page(document: Mapping[str, Any], charts: Mapping[str, bytes], folder: Path) -> None:
    """Write the page; ``charts`` are PNGs by structure."""
    parts = [
        _answer(document),
        section("What changed", _changes(document) + paragraphs([say.method_sentence(document)])),
        section("How sure that is", _probabilities(document)),
        *(figure(f"{name} on both scans", CAPTION, png) for name, png in charts.items()),
        section("Longest diameters", _diameters(document)) if document["unit"] == "ml" else "",
        details(_facts(document)),
    ]
    title = f"Follow-up: {document['before']['image']} and {document['after']['image']}"
    between = f" · {told}" if (told := say.days_words(document)) else ""
    subtitle = f"Model {document['model'].get('name')} {document['model'].get('version')}{between}"
    write_html(folder / FILE, title, subtitle, "\n".join(parts))


def _answer(document: Mapping[str, Any]) -> str:
    told = "".join(f"<p><b>{escape(text)}</b></p>" for text in say.sentences(document))
    warnings = "".join(f"<li>{escape(text)}</li>" for text in document["cautions"])
    fine = "" if warnings else " fine"
    return f'<div class="notice{fine}">{told}{f"<ul>{warnings}</ul>" if warnings else ""}</div>'


def _changes(document: Mapping[str, Any]) -> str:
    unit, digits = document["unit"], 2 if document["unit"] == "ml" else 0
    head = (
        "Structure",
        f"First scan ({unit})",
        f"Second scan ({unit})",
        f"Change ({unit})",
        "Growth",
    )
    rows = []
    for row in document["structures"]:
        cells = [
            row["name"],
            *(say.span(row[side]["size"], digits) for side in ("before", "after")),
            say.span(row["difference"], digits),
            say.signed_percent(row["share"]),
        ]
        rows.append([escape(cell) or ABSENT for cell in cells])
    return table(head, rows)


def _probabilities(document: Mapping[str, Any]) -> str:
    least = say.whole_percent(document["least_share"])
    head = (
        "Structure",
        "Grew",
        f"Grew by {least} or more",
        "Cautiously",
        f"Shrank by {least} or more",
        *(() if document["days"] is None else ("Volume-doubling time (days)",)),
    )
    rows = []
    for row in document["structures"]:
        cells = [row["name"], say.percent(row["grown"]), say.percent(row["grown_more"])]
        cells += [say.percent(row["independent"]["grown_more"]), say.percent(row["shrunk_more"])]
        cells += [] if row["doubling_days"] is None else [say.span(row["doubling_days"], 0)]
        rows.append([escape(cell) or ABSENT for cell in cells])
    return table(head, rows)


def _diameters(document: Mapping[str, Any]) -> str:
    head = ("Structure", "Axial, first (mm)", "Axial, second (mm)", "Any direction, first (mm)", "Any, second (mm)")
    rows = [
        [
            escape(row["name"]),
            *(escape(say.span(row[side][key], 1)) or ABSENT for key in ("axial", "longest") for side in SIDES),
        ]
        for row in document["structures"]
    ]
    return table(head, rows)


SIDES = ("before", "after")


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = []
    for side, name in zip(SIDES, ("First", "Second"), strict=True):
        found = document[side]
        spacing = found["spacing_mm"]
        size = "voxels of unknown size" if spacing is None else " × ".join(f"{mm:.4g}" for mm in spacing) + " mm"
        reasons = " ".join(found["status_reasons"])
        facts.append((f"{name} result", f"{found['where']}, {size}. {VERDICT_NAMES[found['status']]}. {reasons}"))
    facts.append(("Model fingerprint", str(document["model"].get("fingerprint", ""))))
    return [*facts, ("Written", str(document["created"]))]
