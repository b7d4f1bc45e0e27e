"""Labelled runs whose measures and scores are known, for tests of forecasts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from SUREUncertaintyLib.analysis.quality.run_measures import MEASURES, RunMeasures
from SUREUncertaintyLib.quality.labelled_run import INTACT, LabelledRun

GREY = {"skewness": 0.0, "kurtosis": 0.0, "middle": 0.5}


def measures_at(badness: float, missing: tuple[str, ...] = ()) -> RunMeasures:
    """Two structures whose measures all rise with ``badness`` (0..1)."""
    row = dict.fromkeys(MEASURES, badness)
    return RunMeasures(
        "scan", dict(GREY), {"shell": dict(row), "core": dict(row)}, {"shell": 2.0, "core": 1.0}, missing
    )


def known_runs(patients: int, copies: int = 4, noise: float = 0.02, seed: int = 0) -> list[LabelledRun]:
    """Dice = 0.95 - 0.6 badness + a patient's own offset + noise."""
    rng = np.random.default_rng(seed)
    runs = []
    for patient in range(patients):
        offset = rng.normal(0, noise)
        for copy in range(copies):
            badness = 0.05 * rng.random() if copy == 0 else float(rng.uniform(0.0, 1.0))
            dice = float(np.clip(0.95 - 0.6 * badness + offset + rng.normal(0, noise), 0.0, 1.0))
            scores = {"dice": dict.fromkeys(("shell", "core", "whole"), dice)}
            kind = INTACT if copy == 0 else "blur"
            run = LabelledRun(f"c{patient}", f"p{patient}", kind, badness, measures_at(badness), scores, float("nan"))
            runs.append(run)
    return runs


def shifted(run: RunMeasures, **grey: float) -> RunMeasures:
    """The same with other grey values."""
    return replace(run, grey={**run.grey, **grey})
