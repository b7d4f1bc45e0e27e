"""The forecast of a result's quality on a page: a bar with its interval and the limits of the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from .html_parts import ABSENT, number


def forecast_bar(quality: Mapping[str, Any]) -> str:
    """The sentence over a bar from 0 to 1; ``quality``: an entry of ``report.json`` with a forecast."""
    dice = quality["dice"]
    limits = {"check": quality["check_below"], "do not use": quality["do_not_use_below"]}
    marks = "".join(f'<i class="limit" style="left: {limit:.1%}"></i>' for limit in limits.values())
    words = ", ".join(f"{word} below {number(limit)}" for word, limit in limits.items())
    return (
        f'<div class="forecast"><p>{escape(quality["sentence"])}</p>'
        f'<div class="scale" role="img" aria-label="{escape(quality["sentence"])}">'
        f'<i class="span" style="left: {dice["low"]:.1%}; width: {dice["high"] - dice["low"]:.1%}"></i>'
        f'<i class="value" style="left: {dice["value"]:.1%}"></i>{marks}</div>'
        f'<p class="quiet">Bar: 90 % interval from 0 to 1; limits of the verdict: {words}. Fitted on '
        f"{quality['patients']} patients whose scans the network was not trained on.</p></div>"
    )


def score_cell(row: Mapping[str, Any], name: str) -> str:
    """A score with its interval below; a dash without one."""
    value, low, high = (row.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return ABSENT
    return f"{number(value)}<br><small>{number(low)} – {number(high)}</small>"
