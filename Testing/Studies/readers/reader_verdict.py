"""What the hierarchical network was asked to show, and what the results answer: yes or no, with the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from readers.reader_arms import ARMS, CONTROL, FAITHFUL, OURS, PHISEG, PROBABILISTIC, SINGLE, SKIPS, STOCHASTIC
from readers.reader_results import difference_words, load_arm, load_levels, paired
from recorded_results import RecordedResults
from SUREUncertaintyLib.metrics.bootstrap import Interval

LEAST_DIVERGENCE = 0.01
DICE_SLACK = 0.01
WANTED_SETTINGS = 5

Answer = tuple[str, bool | None, str]


def verdict_rows(results: RecordedResults) -> Iterator[str]:
    """One row a question; "not run" where a result is missing."""
    yield "| Asked | Shown | Numbers |"
    yield "| --- | --- | --- |"
    words = {True: "yes", False: "**no**", None: "not run"}
    for question, answer, numbers in answers(results):
        yield f"| {question} | {words[answer]} | {numbers} |"


def answers(results: RecordedResults) -> Iterator[Answer]:
    """Every question in turn."""
    runs = {arm: load_arm(results, arm) for arm in ARMS}
    for arm in (SKIPS, CONTROL, FAITHFUL):
        for metric, name, sign in (("ged2", "GED^2", -1), ("ncc", "NCC", 1)):
            found = _difference(runs, arm, metric)
            shown = None if found is None else found.excludes_zero and found.mean * sign > 0
            yield f"Beats *{ARMS[arm].title}* on {name}, interval excludes 0", shown, _words(found)
    for arm in (PROBABILISTIC, PHISEG, STOCHASTIC, SINGLE, "dropout", "ensemble"):
        found = _difference(runs, arm, "ged2")
        shown = None if found is None else not (found.excludes_zero and found.mean > 0)
        yield f"Beats or equals *{ARMS[arm].title}* on GED^2", shown, _words(found)
    for arm in (STOCHASTIC, "dropout", "ensemble"):
        found = _difference(runs, arm, "ncc")
        shown = None if found is None else not (found.excludes_zero and found.mean < 0)
        yield f"Beats or equals *{ARMS[arm].title}* on NCC", shown, _words(found)
    found = _difference(runs, SINGLE, "dice_majority")
    shown = None if found is None else found.mean >= -DICE_SLACK
    yield "Dice against the majority no worse than softmax by more than 0.01", shown, _words(found)
    yield from _latents(runs[OURS])
    tried = list(load_levels(results))
    yield "At least five settings tried", len(tried) >= WANTED_SETTINGS, f"{len(tried)}: {', '.join(tried)}"


def _difference(runs: dict[str, list[dict[str, Any]]], arm: str, metric: str) -> Interval | None:
    return paired(runs[OURS], runs[arm], metric) if runs[OURS] and runs[arm] else None


def _words(found: Interval | None) -> str:
    return "" if found is None else difference_words(found)


def _latents(ours: list[dict[str, Any]]) -> Iterator[Answer]:
    """The probe of the first seed: divergence at the end, and levels that say something."""
    probe = ours[0]["probe"] if ours else []
    least = min((level["kl"] for level in probe), default=0.0)
    alive = [str(level["level"]) for level in probe if not level["collapsed"]]
    yield "KL of every level above 0.01 at the end", least > LEAST_DIVERGENCE if probe else None, f"{least:.3f}"
    yield "Maps of the levels differ: more than one level is alive", len(alive) > 1 if probe else None, ", ".join(alive)
