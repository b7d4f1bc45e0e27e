"""What an order of copies can reach: the Dice of the intact scan and what the damage cost, apart from one another."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import quality_table
from quality_cases import known_runs
from quality_limit import AGREEMENT, INTACT_DICE, LOST, SILENT_WORST, agreements, copy_key, limit_of
from quality_runs import KINDS
from quality_table import Told
from SUREUncertaintyLib.analysis.quality.forecast import NO_SCORE, PredictedQuality
from SUREUncertaintyLib.analysis.quality.quality_model import PredictedScore
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.quality.labelled_run import LabelledRun


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals of fewer draws, so that a table is there at once."""
    monkeypatch.setattr(quality_table, "RESAMPLES", 50)


def told_by(run: LabelledRun, value: float) -> Told:
    """The run with a forecast; NaN for silence."""
    score = PredictedScore(value, value, value, value) if np.isfinite(value) else NO_SCORE
    return Told(run, PredictedQuality("scan", dice=score))


def with_dice(run: LabelledRun, dice: float) -> LabelledRun:
    return replace(run, scores={"dice": {"whole": dice}})


@pytest.fixture
def pairs() -> list[tuple[LabelledRun, float]]:
    """Forty patients, intact and damaged, with the Dice that damage cost; readers differ as much as damage costs."""
    rng = np.random.default_rng(0)
    found = []
    for run in known_runs(40, copies=2):
        lost = 0.0 if run.kind == "intact" else float(rng.uniform(0.0, 0.2))
        own = 0.6 + 0.2 * np.modf(int(run.group[1:]) * 0.618)[0]
        found.append((with_dice(run, own - lost), lost))
    return found


def test_who_knows_what_the_damage_cost_orders_the_loss_and_not_the_dice(
    pairs: list[tuple[LabelledRun, float]],
) -> None:
    told = [told_by(run, 1.0 - lost) for run, lost in pairs]
    agreement = {copy_key(run.case, run.kind): 1.0 - lost**2 for run, lost in pairs}
    table = limit_of(told, agreement)
    for name in ("forecast", AGREEMENT, LOST):
        assert table[name]["lost"]["mean"] == pytest.approx(1.0)
        assert 0.5 < table[name]["dice"]["mean"] < 0.9
    assert table[INTACT_DICE]["lost"]["mean"] == pytest.approx(0.0, abs=0.2)
    assert table[INTACT_DICE]["dice"]["mean"] > 0.4
    assert all(row["scans"] == 80 for row in table.values())


def test_silent_scans_are_left_out_or_count_as_the_worst(pairs: list[tuple[LabelledRun, float]]) -> None:
    worst = min(run.scores["dice"]["whole"] for run, _ in pairs)
    told = [
        told_by(run, np.nan if (dice := run.scores["dice"]["whole"]) == worst and run.kind != "intact" else dice)
        for run, _ in pairs
    ]
    table = limit_of(told, {copy_key(run.case, run.kind): 1.0 - lost for run, lost in pairs})
    assert (table["forecast"]["scans"], table[SILENT_WORST]["scans"]) == (79, 80)
    assert table[SILENT_WORST]["dice"]["mean"] == pytest.approx(1.0)


def test_answers_to_copies_are_compared_with_that_to_the_intact_scan(
    tiny_package: Package, case: Case, tmp_path: Path
) -> None:
    found = agreements(tiny_package, [case], tmp_path / "kept.json")
    assert list(found) == [copy_key(case.id, kind) for kind in ("intact", *KINDS)]
    assert found[copy_key(case.id, "intact")] == 1.0
    assert min(found.values()) < 0.99
    assert found[copy_key(case.id, "brightness")] == pytest.approx(1.0, abs=0.01)  # each scan is normalised
    (tmp_path / "kept.json").write_text(json.dumps(found | {"seen": 0.5}))
    assert agreements(tiny_package, [case], tmp_path / "kept.json")["seen"] == 0.5
