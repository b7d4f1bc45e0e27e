"""``evaluation.html``: the numbers of an evaluation for people, and the cases to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from ..core.wording import ESTIMATOR_NAMES, METRIC_NAMES
from ..report.html_page import write_html
from ..report.html_parts import ABSENT, details, number, paragraphs, section, table
from ..report.words import linked
from .case_result import MEAN, METRICS, PER_STRUCTURE

FILE = "evaluation.html"


def write_evaluation_page(summary: Mapping[str, Any], folder: Path) -> None:
    """Write ``evaluation.html`` into the folder; ``summary``: the content of ``summary.json``, NaN or null alike."""
    failed = [f"{failure['id']} could not be evaluated: {failure['error']}" for failure in summary["failed"]]
    cases = f"{summary['n_cases']} cases of {summary['n_groups']} groups"
    content = "\n".join(
        [
            paragraphs(failed),
            section("Means", _means(summary) + _note(summary)),
            section("Five worst cases", _worst(summary)),
            details({"Fingerprint": summary["fingerprint"], "Seed": str(summary["seed"])}.items()),
        ]
    )
    named = ESTIMATOR_NAMES.get(summary["estimator"], summary["estimator"])
    subtitle = f"{cases} · uncertainty: {named}"
    write_html(folder / FILE, f"Evaluation of {summary['model']}", subtitle, content)


def _means(summary: Mapping[str, Any]) -> str:
    names = [name for name in summary["metrics"][PER_STRUCTURE[0]] if name != MEAN]
    head = ("Metric", "Mean", "95 % interval", *names)
    return table(head, _lines(summary["metrics"], names))


def _lines(metrics: Mapping[str, Any], names: list[str]) -> Iterator[list[str]]:
    for metric in METRICS:
        entry = metrics[metric]
        whole = entry[MEAN]
        if whole["mean"] is None or whole["mean"] != whole["mean"]:
            continue
        known = whole["low"] is not None and whole["low"] == whole["low"]
        interval = f"{number(whole['low'], 3)} – {number(whole['high'], 3)}" if known else ABSENT
        cells = [number(entry[name]["mean"], 3) if name in entry else ABSENT for name in names]
        yield [linked(METRIC_NAMES.get(metric, metric)), number(whole["mean"], 3), interval, *cells]


def _note(summary: Mapping[str, Any]) -> str:
    interval = summary["interval"]
    return f'<p class="quiet">Interval: {escape(interval["method"])}, {interval["resamples"]} resamples.</p>'


def _worst(summary: Mapping[str, Any]) -> str:
    if not summary["worst"]:
        return "<p>No case has a label.</p>"
    names = list(summary["worst"][0]["structures"])
    head = ("Case", "Dice", *names, METRIC_NAMES["hd95_mm"], METRIC_NAMES["volume_error_ml"], "Ranges that hold")
    rows = (
        [
            escape(case["id"]),
            number(case["dice"], 3),
            *(number(case["structures"][name], 3) for name in names),
            number(case["hd95_mm"]),
            number(case["volume_error_ml"]),
            number(case["range_coverage"]),
        ]
        for case in summary["worst"]
    )
    return table(head, rows)
