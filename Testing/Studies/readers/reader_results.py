"""The results of the reader study, averaged over seeds and paired by nodule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from readers.level_settings import LEVEL_SETTINGS
from readers.reader_arms import ARMS, SETTINGS, SINGLE
from recorded_results import RecordedResults
from SUREUncertaintyLib.metrics.bootstrap import Interval, grouped_bootstrap, paired_bootstrap

Floats = NDArray[np.float64]
Run = Mapping[str, Any]
SETTING_SEEDS = 3


def load_arm(results: RecordedResults, arm: str) -> list[dict[str, Any]]:
    """The finished seeds of an arm."""
    return load_seeds(results, arm, ARMS[arm].seeds)


def load_shift(results: RecordedResults, arm: str) -> dict[str, Any]:
    """Scores of an arm on shifted slices; empty when they were not made."""
    return dict(results.get(f"shift-{arm}").get("scores", {}))


def load_settings(results: RecordedResults) -> dict[str, list[dict[str, Any]]]:
    """The finished seeds of what was tried, in the order of ``SETTINGS``, and of softmax."""
    found = {setting: load_seeds(results, f"setting-{setting}", SETTING_SEEDS) for setting in (*SETTINGS, SINGLE)}
    return {setting: runs for setting, runs in found.items() if runs}


def load_levels(results: RecordedResults) -> dict[str, list[dict[str, Any]]]:
    """The finished seeds of what was tried for the network whose levels add up."""
    found = {setting: load_seeds(results, f"residual-{setting}", SETTING_SEEDS) for setting in LEVEL_SETTINGS}
    return {setting: runs for setting, runs in found.items() if runs}


def load_seeds(results: RecordedResults, name: str, seeds: int) -> list[dict[str, Any]]:
    """The finished ones of a number of seeds."""
    return [run for seed in range(seeds) if (run := results.get(f"{name}-{seed}"))]


def over_seeds(runs: Sequence[Run], metric: str) -> Floats:
    """Values of the nodules, mean over seeds, NaN where undefined in all of them."""
    table = np.array([run["values"][metric] for run in runs], dtype=np.float64)
    defined = ~np.isnan(table)
    total = np.where(defined, table, 0.0).sum(axis=0)
    return np.where(defined.any(axis=0), total / np.maximum(defined.sum(axis=0), 1), np.nan)


def mean_over_patients(runs: Sequence[Run], metric: str) -> Interval:
    """Mean over seeds, nodules and patients, with its interval over patients."""
    return grouped_bootstrap(over_seeds(runs, metric), runs[0]["patients"])


def each_seed(runs: Sequence[Run], metric: str) -> str:
    """The mean, and the lowest and the highest seed where there are several."""
    seeds = [mean_over_patients([run], metric).mean for run in runs]
    spread = f" ({min(seeds):.3f}-{max(seeds):.3f})" if len(seeds) > 1 else ""
    return f"{mean_over_patients(runs, metric).mean:.3f}{spread}"


def paired(first: Sequence[Run], second: Sequence[Run], metric: str) -> Interval:
    """Mean over seeds of one method minus that of another on the same nodules; the interval is over patients."""
    return paired_bootstrap(over_seeds(first, metric), over_seeds(second, metric), first[0]["patients"])


def difference_words(found: Interval) -> str:
    """A difference with its interval, bold where that excludes 0."""
    text = f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
    return f"**{text}**" if found.excludes_zero else text
