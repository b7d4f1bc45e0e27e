"""The tables of ``docs/hierarchical.md`` about the network whose levels add up: settings, and each level alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from readers.level_settings import CHOSEN_LEVELS
from readers.reader_arms import CHOSEN, SINGLE
from readers.reader_results import each_seed, load_levels, load_seeds
from readers.reader_verdict import LEAST_DIVERGENCE
from recorded_results import RecordedResults

SHOWN = {
    "ged2": "GED^2",
    "ncc": "NCC",
    "diversity": "Diversity",
    "best_dice": "Best-match Dice",
    "dice_majority": "Dice, majority",
    "dice_answer": "the same of the U-Net's answer",
    "rater_ece": "Calibration error",
}
OTHERS = {CHOSEN: "Hierarchical latents, the setting above", SINGLE: "Softmax, one pass"}
"""The same scores of settings of the other table, with the same seeds."""


def level_setting_rows(results: RecordedResults) -> Iterator[str]:
    """A row a setting that was tried."""
    yield f"| Setting | Changes | Seeds | {' | '.join(SHOWN.values())} |"
    yield f"| --- | --- | --- |{' --- |' * len(SHOWN)}"
    tried = load_levels(results)
    for setting, runs in tried.items():
        yield _row(_name(setting), _changes(runs[0]), runs)
    seeds = max((len(runs) for runs in tried.values()), default=0)
    for setting, title in OTHERS.items():
        if runs := load_seeds(results, f"setting-{setting}", seeds):
            yield _row(f"*{title}*", "", runs)


def _row(name: str, changes: str, runs: Sequence[Mapping[str, Any]]) -> str:
    cells = [each_seed(runs, metric) if metric in runs[0]["values"] else "" for metric in SHOWN]
    return f"| {name} | {changes} | {len(runs)} | {' | '.join(cells)} |"


def single_level_rows(results: RecordedResults) -> Iterator[str]:
    """What each level carries and does alone, first seed."""
    yield "| Setting | KL a level, finest first | Above 0.01 | Diversity of each alone | Pixels of its differences |"
    yield "| --- | --- | --- | --- | --- |"
    for setting, runs in load_levels(results).items():
        probe, levels = runs[0]["probe"], runs[0]["levels"]
        alive = sum(level["kl"] > LEAST_DIVERGENCE for level in probe)
        divergences = ", ".join(f"{level['kl']:.3f}" for level in probe)
        yield (
            f"| {_name(setting)} | {divergences} | {alive} of {len(probe)} | {_numbers(levels, 'diversity', 3)} | "
            f"{_numbers(levels, 'difference_scale', 1)} |"
        )


def _name(setting: str) -> str:
    return f"**{setting}**" if setting == CHOSEN_LEVELS else setting


def _changes(run: Mapping[str, Any]) -> str:
    weights = {} if run["weights"] is None else {"weights": list(run["weights"])}
    return ", ".join(f"{name} {value}" for name, value in (weights | run["network"] | run["loss"]).items()) or "none"


def _numbers(levels: Sequence[Mapping[str, Any]], name: str, digits: int) -> str:
    return ", ".join("-" if level[name] is None else f"{level[name]:.{digits}f}" for level in levels)
