"""``report.html`` of a scan over time."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from ..core.wording import VERDICT_NAMES
from ..report.html_page import write_html
from ..report.html_parts import ABSENT, details, figure, number, paragraphs, section, table
from . import cine_sentences as say

FILE = "report.html"
CURVE_CAPTION = (
    "Volume of every frame with its range (90 %): what the outline leaves open, and one slice at either end of the "
    "stack. Marked frames have warnings of their own."
)
PHASES_CAPTION = "Slices from one end of the stack to the other; colours mark uncertain voxels. Check both ends first."


def write_page(document: Mapping[str, Any], curve: str | None, phases: str | None, folder: Path) -> None:
    """Write the page.

    Args:
        document: the content of ``cine.json``.
        curve, phases: pictures inside the folder; None without pictures.
    """
    named = (("Volume over time", CURVE_CAPTION, curve), ("End-diastole and end-systole", PHASES_CAPTION, phases))
    shown = [figure(title, caption, (folder / file).read_bytes()) for title, caption, file in named if file]
    parts = [
        _answer(document),
        *shown,
        section("Volumes", _volumes(document)),
        section("Frames", _frames(document)),
        details(_facts(document)),
    ]
    title = f"{document['structure']} over time: {document['image']}"
    model = document["model"]
    subtitle = f"Model {model.get('name')} {model.get('version')} · {len(document['frames'])} frames"
    write_html(folder / FILE, title, subtitle, "\n".join(parts))


def _answer(document: Mapping[str, Any]) -> str:
    sentence = say.fraction_sentence(document)
    warnings = "".join(f"<li>{escape(text)}</li>" for text in say.frame_sentences(document))
    fine = " fine" if document["ejection"] is not None and not warnings else ""
    head = f"<p><b>{escape(sentence)}</b></p>" if sentence else ""
    return f'<div class="notice{fine}">{head}<ul>{warnings}</ul></div>' if head or warnings else ""


def _volumes(document: Mapping[str, Any]) -> str:
    rows = [(escape(name), value, span or ABSENT) for name, value, span in say.volume_rows(document)]
    sentences = [say.phase_sentence(document), *([say.MEANING] if document["ejection"] is not None else [])]
    return table(("", "ml", "Range (90 %), ml"), rows, text_columns=(0,)) + paragraphs(sentences)


def _frames(document: Mapping[str, Any]) -> str:
    rows = [
        (
            str(frame["frame"]),
            number(frame["time_ms"], 0),
            number(frame["volume_ml"], 1),
            f"{number(frame['volume_low_ml'], 1)} to {number(frame['volume_high_ml'], 1)}",
            escape(VERDICT_NAMES[frame["status"]]),
        )
        for frame in document["frames"]
    ]
    return table(("Frame", "Time (ms)", "Volume (ml)", "Range (ml)", "Verdict"), rows, text_columns=(4,))


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    model = document["model"]
    return [("Model fingerprint", str(model.get("fingerprint", ""))), ("Written", str(document["created"]))]
