"""``worklist.html``: which result to open first, with pictures, filters and ticks that are kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from ..core.rounding import decimals
from ..core.wording import VERDICT_NAMES, as_sentence
from ..packages.metadata import PackageMetadata
from ..report.html_page import filled, write_html
from ..report.html_parts import ABSENT, number, paragraphs, table
from .case_folder import CASES
from .case_row import FAILED, ORDER, CaseRow
from .correction_order import correction_order
from .review_curve import FAILURE, ReviewCurve
from .thumbnail import FILE as THUMBNAIL

HERE = Path(__file__).resolve().parent
PAGE = "worklist.html"
NAMES = {**VERDICT_NAMES, FAILED: "Failed"}


def write_worklist(
    rows: Sequence[CaseRow], told: Sequence[str], curve: ReviewCurve | None, metadata: PackageMetadata, folder: Path
) -> None:
    """Write ``worklist.html``; pictures and reports are linked inside the folder.

    Args:
        rows: sorted by need. told: sentences about the list. curve: what reviewing buys, where labels exist.
    """
    first = {id_: number for number, id_ in enumerate(correction_order(rows), 1)}
    values = {
        "style": (HERE / "worklist.css").read_text(encoding="utf-8"),
        "script": (HERE / "worklist.js").read_text(encoding="utf-8"),
        "told": paragraphs(told),
        "filters": "".join(_filter(status, rows) for status in ORDER),
        "cards": "\n".join(_card(rank, row, folder, first.get(row.id)) for rank, row in enumerate(rows, 1)),
        "first": str(len(first)),
        "curve": "" if curve is None else _curve(curve),
        "key": escape(f"sure-worklist:{folder}", quote=True),
        "count": str(len(rows)),
    }
    subtitle = f"{len(rows)} scans · model {metadata.name} {metadata.version}"
    write_html(folder / PAGE, f"Worklist: {folder.name}", subtitle, filled(HERE / "worklist.html", values))


def _filter(status: str, rows: Sequence[CaseRow]) -> str:
    count = sum(row.status == status for row in rows)
    return (
        f'<label class="chip {status}"><input type="checkbox" data-status="{status}" checked> '
        f"{escape(NAMES[status])} <b>{count}</b></label>"
    )


def _card(rank: int, row: CaseRow, folder: Path, first: int | None) -> str:
    """One case; ``first`` is its place among those to correct first.

    What scripts search is in ``data`` attributes; everything that people gave is escaped.
    """
    link = f"{CASES}/{quote(row.folder)}"
    picture = f'<a href="{link}/report.html"><img loading="lazy" alt="" src="{link}/{THUMBNAIL}"></a>'
    reasons = _reasons(
        [reason for reason in row.reasons if not row.no_forecast or row.no_forecast not in reason.lower()]
    )
    opened = (
        f'<a href="{link}/report.html">Report</a> '
        f'<button type="button" class="copy" data-copy="sure view {escape(_shell(folder / CASES / row.folder))}">'
        "Copy the command that opens it</button>"
    )
    badge = "" if first is None else f' <span class="badge first">Correct first: {first}</span>'
    return (
        f'<article class="case {row.status}" data-id="{escape(row.id, quote=True)}" data-status="{row.status}" '
        f'data-first="{first or ""}">'
        f'<div class="shot">{picture if row.folder else ""}</div>'
        f'<div class="text"><h3><span class="rank">{rank}</span> {escape(row.id)} '
        f'<span class="badge {row.status}">{escape(NAMES[row.status])}</span>{badge}</h3>'
        f"{_score(row)}{_place(row)}{reasons}"
        f'<p class="act">{opened if row.folder else ""}</p></div>'
        '<label class="done"><input type="checkbox" class="tick"> Reviewed</label></article>'
    )


def _reasons(reasons: Sequence[str]) -> str:
    """The first one in full, the others on request, so that the list stays a list."""
    if not reasons:
        return ""
    first, *others = (f"<li>{escape(reason)}</li>" for reason in reasons)
    more = f"<details><summary>{len(others)} more</summary><ul>{''.join(others)}</ul></details>" if others else ""
    return f"<ul>{first}</ul>{more}"


def _score(row: CaseRow) -> str:
    if not math.isfinite(row.predicted_dice):
        text = row.no_forecast or ("" if row.status == FAILED else "the model makes no forecast")
        true = f" Dice with the label {decimals(row.dice)}." if math.isfinite(row.dice) else ""
        return f'<p class="quiet">{escape(as_sentence(text))}{true}</p>' if text else ""
    low, high = row.predicted_dice_low, row.predicted_dice_high
    true = f" · with the label {decimals(row.dice)}" if math.isfinite(row.dice) else ""
    return (
        f"<p>Predicted Dice <b>{decimals(row.predicted_dice)}</b> ({decimals(low)} to {decimals(high)}), at least "
        f"{decimals(row.predicted_dice_at_least)} in 9 of 10{true}</p>"
        f'<div class="scale"><i class="span" style="left: {low:.1%}; width: {high - low:.1%}"></i>'
        f'<i class="value" style="left: {row.predicted_dice:.1%}"></i></div>'
    )


def _place(row: CaseRow) -> str:
    if not row.place:
        return ""
    at = ", ".join(f"{letter} {value:.1f}" for letter, value in zip("RAS", row.place, strict=True)).replace("-", "−")
    one = "1 uncertain region" if row.regions == 1 else f"{row.regions} uncertain regions"
    return f'<p class="quiet">{one}; look first at {at} mm</p>'


def _shell(path: Path) -> str:
    """A path as both shells take it."""
    return f'"{path}"'


def _curve(curve: ReviewCurve) -> str:
    """What reviewing buys, as a table."""
    head = (
        "Reviewed first",
        f"Failures found (Dice < {FAILURE:g})",
        "Mean Dice of the rest",
        "in any order",
        "at best",
    )
    lines = (
        [
            f"{point.share:.0%} ({point.cases})",
            f"{point.found:.0%}" if math.isfinite(point.found) else ABSENT,
            number(point.left, 3),
            number(point.left_at_random, 3),
            number(point.left_at_best, 3),
        ]
        for point in curve.points
    )
    note = (
        f"Measured on the {curve.cases} cases of this list that have a label, {curve.failures} of which are below "
        f"{FAILURE:g}: the worst part of this list against the same number in any order and in the best one."
    )
    return f'<section><h2>What reviewing buys</h2><p class="quiet">{escape(note)}</p>{table(head, lines)}</section>'
