"""Calibration error and Brier score of one class."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from SUREUncertaintyLib.metrics import calibration
from SUREUncertaintyLib.metrics.calibration import brier, expected_calibration_error

VECTORS = json.loads((Path(__file__).parents[1] / "Data" / "sure_loss_vectors.json").read_text(encoding="utf-8"))


def test_the_reference_vector_gives_its_value() -> None:
    case = VECTORS["ece_binary"]
    value = expected_calibration_error(np.array(case["prob"]), np.array(case["target"]), case["n_bins"])
    assert value == pytest.approx(0.4822916667, abs=1e-9)
    assert value == pytest.approx(case["head"], abs=1e-12)


def test_certain_and_right_is_perfectly_calibrated() -> None:
    truth = np.array([True, False, True])
    assert expected_calibration_error(truth.astype(float), truth) == 0.0
    assert brier(truth.astype(float), truth) == 0.0


def test_certain_and_wrong_is_as_bad_as_it_gets() -> None:
    truth = np.array([True, False])
    assert expected_calibration_error(1.0 - truth, truth) == 1.0
    assert brier(1.0 - truth, truth) == 1.0


def test_a_half_sure_guess_about_a_coin_is_calibrated_but_not_sharp() -> None:
    truth = np.array([True, False] * 10)
    assert expected_calibration_error(np.full(20, 0.5), truth) == 0.0
    assert brier(np.full(20, 0.5), truth) == pytest.approx(0.25)


def test_bins_do_not_cancel_each_other() -> None:
    p = np.array([0.15, 0.85])
    assert expected_calibration_error(p, np.array([True, False])) == pytest.approx(0.85)


def test_no_voxels_are_undefined_and_nan_is_refused() -> None:
    assert np.isnan(expected_calibration_error(np.empty(0), np.empty(0)))
    assert np.isnan(brier(np.empty(0), np.empty(0)))
    with pytest.raises(ValueError, match="not finite"):
        brier(np.array([np.nan]), np.array([1]))


def test_long_arrays_are_taken_in_blocks_with_the_same_value(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    p, truth = generator.random(1000).astype(np.float32), generator.random(1000) < 0.3
    whole = expected_calibration_error(p, truth), brier(p, truth)
    monkeypatch.setattr(calibration, "BLOCK", 64)
    assert (expected_calibration_error(p, truth), brier(p, truth)) == pytest.approx(whole, abs=1e-12)


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=80))
def test_calibration_error_agrees_with_a_loop_over_bins(pairs: list[tuple[float, bool]]) -> None:
    edges = np.linspace(0, 1 + 1e-8, 11)
    expected = 0.0
    for low, high in itertools.pairwise(edges):
        members = [pair for pair in pairs if low <= pair[0] < high]
        if members:
            gap = np.mean([pair[0] for pair in members]) - np.mean([pair[1] for pair in members])
            expected += len(members) / len(pairs) * abs(gap)
    p, truth = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    assert expected_calibration_error(p, truth) == pytest.approx(expected, abs=1e-12)
