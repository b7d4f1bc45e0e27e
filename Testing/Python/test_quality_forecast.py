"""Forecasts of quality: intervals that hold for new patients, silence outside, and nothing lost on the way."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from quality_cases import known_runs, measures_at, shifted
from SUREUncertaintyLib.analysis.quality.forecast import forecast_quality, with_forecast
from SUREUncertaintyLib.analysis.quality.quality_model import read_quality_model
from SUREUncertaintyLib.analysis.quality.sentences import forecast_sentence
from SUREUncertaintyLib.analysis.rows import Notice, StructureRow
from SUREUncertaintyLib.analysis.verdict import verdict_of
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.metrics.conformal import conformal_quantile, patient_folds
from SUREUncertaintyLib.metrics.monotone import RisingCurve, fit_rising_curve, fit_rising_sum
from SUREUncertaintyLib.metrics.surface import surface_agreement
from SUREUncertaintyLib.quality.fit import fit_quality


def test_the_quantile_counts_the_new_patient_at_infinity() -> None:
    scores, patients = np.arange(1.0, 20.0), [str(n) for n in range(19)]
    assert conformal_quantile(scores, patients, 0.9) == 18.0  # 18 of 20 weights
    assert conformal_quantile(scores[:8], patients[:8], 0.9) == math.inf  # 8 of 9 is less than 0.9
    assert conformal_quantile(scores[:9], patients[:9], 0.9) == 9.0


def test_scans_of_a_patient_share_its_weight() -> None:
    scores = [*[100.0] * 50, *range(1, 20)]
    patients = [*["many"] * 50, *map(str, range(19))]
    assert conformal_quantile(scores, patients, 0.9) == 19.0


def test_folds_never_part_a_patient() -> None:
    groups = [f"p{n % 13}" for n in range(60)]
    folds = patient_folds(groups, 5)
    assert all(len({fold for fold, own in zip(folds, groups, strict=True) if own == group}) == 1 for group in groups)
    assert set(folds.tolist()) == set(range(5))


def test_a_rising_sum_finds_a_known_one_and_ignores_what_falls() -> None:
    rng = np.random.default_rng(1)
    x, y, z = rng.random((3, 800))
    target = 0.1 + 0.5 * x + 0.2 * np.minimum(y, 0.5) - 0.3 * z
    model = fit_rising_sum({"x": x, "y": y, "z": z}, target + 0.15, np.ones(800), ridge=1e-6)
    assert "z" not in model.curves
    heights = model.curves["x"].at([0.0, 1.0])
    assert heights[1] - heights[0] == pytest.approx(0.5, abs=0.05)
    assert np.all(np.diff(model.at({"x": np.linspace(0, 1, 50), "y": 0.3, "z": 0.0})) >= 0.0)


def test_an_unknown_measure_counts_as_the_worst() -> None:
    curve = RisingCurve((0.0, 1.0), (0.0, 3.0))
    assert curve.at([math.nan, 0.5, 9.0]).tolist() == [3.0, 1.5, 3.0]


def test_a_rising_curve_pools_what_falls() -> None:
    curve = fit_rising_curve(np.array([0.0, 1.0, 2.0]), np.array([0.0, 3.0, 1.0]), np.ones(3), knots=3)
    assert curve.y == pytest.approx((0.0, 2.0, 2.0))


def test_the_interval_holds_for_patients_that_nothing_was_fitted_on() -> None:
    held, below = [], []
    for seed in range(6):
        model = fit_quality(known_runs(25, seed=seed), "digest", "native", 1)
        for run in known_runs(40, seed=1000 + seed):
            told = forecast_quality(model, run.measures, outside=False)
            assert told.reason == ""
            held.append(told.dice.low <= run.scores["dice"]["whole"] <= told.dice.high)
            below.append(run.scores["dice"]["whole"] >= told.dice.at_least)
    assert 0.87 <= np.mean(held) <= 0.97
    assert 0.87 <= np.mean(below) <= 0.97


def test_worse_measures_never_give_a_better_forecast() -> None:
    model = fit_quality(known_runs(15), "digest", "native", 1)
    values = [forecast_quality(model, measures_at(bad), False).dice.value for bad in np.linspace(0.0, 1.0, 21)]
    assert np.all(np.diff(values) <= 0.0)
    assert values[0] == pytest.approx(0.95, abs=0.03)
    assert values[-1] == pytest.approx(0.35, abs=0.06)


def test_fewer_than_ten_patients_get_no_forecast_of_dice() -> None:
    with pytest.raises(InputError, match=r"10 patients or more.* 9 are there.*stable"):
        fit_quality(known_runs(9, copies=30), "digest", "native", 1)


@pytest.mark.parametrize(
    ("run", "outside", "words"),
    [
        (shifted(measures_at(0.1), middle=0.9), False, "brightness of most tissue"),
        (measures_at(0.1), True, "outside of what the model knows"),
        (measures_at(0.1, missing=("core",)), False, "core was not found"),
        (replace(measures_at(0.1), volumes_ml={"shell": 40.0, "core": 1.0}), False, "volume of shell"),
        (measures_at(3.0), False, "uncertainty at the boundary"),
    ],
)
def test_outside_of_what_it_was_fitted_on_it_is_silent_and_says_why(run, outside, words) -> None:  # type: ignore[no-untyped-def]
    model = fit_quality(known_runs(12), "digest", "native", 1)
    told = forecast_quality(model, run, outside)
    assert words in told.reason
    assert not told.dice.known
    assert verdict_of((), (told,)).status == "check"
    assert words in verdict_of((), (told,)).reasons[0]


def test_a_model_comes_back_from_json_bit_for_bit() -> None:
    model = fit_quality(known_runs(12), "digest", "native", 1, record={"data": "phantoms"})
    again = read_quality_model(json.loads(json.dumps(model.to_json(), allow_nan=False)))
    assert again is not None
    assert again.to_json() == model.to_json()
    assert again.record == {"data": "phantoms"}
    assert (
        forecast_quality(again, measures_at(0.3), False).dice == forecast_quality(model, measures_at(0.3), False).dice
    )
    assert read_quality_model({**model.to_json(), "schema": "another"}) is None
    assert read_quality_model({"schema": "sure-quality/1", "scores": 3}) is None


def test_limits_of_the_verdict_are_named() -> None:
    model = fit_quality(known_runs(15), "digest", "native", 1)
    good, middling, poor = (forecast_quality(model, measures_at(bad), False) for bad in (0.02, 0.35, 0.9))
    assert verdict_of((), (good,)).status == "usable"
    assert verdict_of((), (middling,)).status == "check"
    assert "at least 0.75 cannot be promised" in verdict_of((), (middling,)).reasons[0]
    assert verdict_of((), (good, poor)).status == "do_not_use"
    assert "below the limit for use of 0.60" in verdict_of((), (good, poor)).reasons[0]
    warned = (Notice("volume-untold", "The model cannot tell the size."),)
    assert verdict_of(warned, (good,)).status == "do_not_use"  # a good number does not silence a warning


def test_the_first_sentence_has_number_interval_and_bound() -> None:
    model = fit_quality(known_runs(15), "digest", "native", 1)
    told = forecast_quality(model, measures_at(0.02), False)
    sentence = forecast_sentence(told)
    assert sentence.startswith(f"Predicted Dice {told.dice.value:.2f} ({told.dice.low:.2f} to {told.dice.high:.2f}); ")
    assert f"at least {told.dice.at_least:.2f} in 9 of 10 patients" in sentence
    assert told.dice.low <= told.dice.at_least <= told.dice.value <= told.dice.high


def test_a_row_has_its_own_forecast() -> None:
    model = fit_quality(known_runs(12), "digest", "native", 1)
    row = StructureRow(1, "Left shell", 10, 10.0, 0.01, 0.0, 0.02, 0.1, 0.1, 0.1, 0.1, 0.1)
    told = with_forecast(row, model, "shell", measures_at(0.2).structures["shell"])
    assert told.predicted_dice_low < told.predicted_dice < told.predicted_dice_high
    assert math.isnan(told.predicted_surface_dice)


def test_the_surface_dice_of_shifted_cubes() -> None:
    first, second = np.zeros((2, 10, 10, 10), bool)
    first[2:6, 2:6, 2:6] = True
    second[3:7, 2:6, 2:6] = True
    assert surface_agreement(first, second, (1.0, 1.0, 1.0), 1.0) == 1.0
    assert surface_agreement(first, second, (2.0, 1.0, 1.0), 1.0) < 1.0
    assert surface_agreement(first, first & False, (1.0, 1.0, 1.0), 1.0) == 0.0
    assert math.isnan(surface_agreement(first & False, first & False, (1.0, 1.0, 1.0), 1.0))
