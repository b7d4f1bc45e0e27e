"""Which cases to correct first: the neediest, then what is unlike those chosen before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from SUREUncertaintyLib.cohort.case_row import CaseRow
from SUREUncertaintyLib.cohort.correction_order import correction_order, farthest


def row(name: str, volume: float, uncertainty: float = 0.1, **changes: Any) -> CaseRow:
    structure = {
        "name": "organ",
        "voxels": int(100 * volume),
        "volume_ml": volume,
        "mean_uncertainty": uncertainty,
        "boundary_uncertainty": 0.2,
        "interior_uncertainty": None,
        "share_over_threshold": 0.5,
        "perception_scale": None,
    }
    values: dict[str, Any] = {"group": name, "image": name, "folder": name, "status": "check"}
    return CaseRow(name, **{**values, "structures": (structure,), **changes})


def test_a_case_like_the_first_one_waits_for_one_that_is_unlike_it() -> None:
    rows = [row("a", 2.0), row("twin of a", 2.0), row("large", 9.0), row("small", 0.5), row("b", 2.1), row("c", 1.9)]
    assert correction_order(rows, 3) == ("a", "large", "small")


def test_the_next_case_is_the_farthest_from_the_nearest_chosen_wherever_it_stands_in_the_list() -> None:
    features = np.array([[0.0], [6.0], [1.0], [4.0], [10.0]])
    assert farthest(features, list("abcde"), 4) == [0, 4, 1, 3]
    rows = [row(str(n), 2.0 * 2.0**value) for n, value in enumerate((0.0, 0.6, 0.1, 0.4, 1.0))]
    assert correction_order(rows, 4) == ("0", "4", "1", "3")


def test_weights_take_the_heavier_sooner() -> None:
    features = np.array([[0.0], [6.0], [1.0], [4.0], [10.0]])
    assert farthest(features, list("abcde"), 2, np.array([1.0, 1.0, 0.8, 0.6, 0.5])) == [0, 1]


def test_one_scan_under_two_names_is_proposed_once() -> None:
    rows = [row("a", 2.0, voxels="x"), row("copy of a", 2.0, voxels="x"), row("b", 2.1, voxels="y"), row("c", 2.2)]
    assert correction_order(rows) == ("a", "c", "b")


def test_one_scan_a_patient_as_long_as_there_are_patients() -> None:
    rows = [row("a1", 2.0, group="a"), row("a2", 9.0, group="a"), row("b", 2.1, group="b")]
    assert correction_order(rows, 3) == ("a1", "b", "a2")


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "failed", "structures": ()},
        {"status": "do_not_use"},
        {"structures": ({"name": "organ", "voxels": 0, "volume_ml": 0.0},)},
    ],
    ids=["failed", "a scan of another kind", "nothing found"],
)
def test_what_teaches_nothing_is_left_out(changes: dict[str, Any]) -> None:
    assert correction_order([row("x", 2.0, **changes), row("a", 2.0)]) == ("a",)


def test_a_result_that_is_foretold_to_be_poor_is_worth_correcting() -> None:
    assert correction_order([row("poor", 2.0, status="do_not_use", predicted_dice=0.4), row("a", 2.0)])[0] == "poor"


def test_no_more_than_asked_for_and_no_case_twice() -> None:
    rng = np.random.default_rng(0)
    rows = [row(str(n), float(rng.uniform(1, 5)), float(rng.uniform(0, 0.3))) for n in range(30)]
    chosen = correction_order(rows)
    assert len(chosen) == len(set(chosen)) == 10
    assert chosen[0] == "0"
    assert correction_order([]) == ()
    assert len(correction_order([row(str(n), 2.0) for n in range(4)])) == 4


def test_measures_that_are_missing_everywhere_count_for_nothing() -> None:
    rows = [row("a", 2.0, math.nan), row("b", 4.0, math.nan), row("c", 2.1, math.nan)]
    assert correction_order(rows, 2) == ("a", "b")
