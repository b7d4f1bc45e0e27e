"""The robustness test: every number against the metrics it is made of."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from damaged import LEVELS, SHAPE, Recorder, phantom, run
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.corruptions.registry import corrupt_volume, make_recipe
from SUREUncertaintyLib.evaluation.case_evaluation import EvaluationOptions, evaluate_case
from SUREUncertaintyLib.evaluation.cases import Case, single_case
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.metrics.boundary import boundary_distance
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.robustness.page import finding
from SUREUncertaintyLib.robustness.results import LevelResult, SeriesResult
from SUREUncertaintyLib.robustness.series import relate
from SUREUncertaintyLib.robustness.summary import summarise_corruptions
from tiny import PointEngine


def test_the_clean_row_agrees_with_itself_and_level_zero_is_the_clean_row(
    case: Case, tiny_package: Package, tmp_path: Path
) -> None:
    (series,) = run([case], tiny_package, "rician", tmp_path / "out", levels=(0.0, 0.5, 1.0)).series
    assert series.clean is not None
    assert series.clean.value("agreement_dice") == 1.0
    assert series.clean.value("agreement_hd95_mm") == 0.0
    assert series.levels[0].values == series.clean.values
    assert [row.level for row in series.rows] == [0.0, 0.5, 1.0]
    assert series.boundary == "label"


def test_gaussian_noise_gives_the_numbers_of_evaluate(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    predictor = NativePredictor(tiny_package, PointEngine())
    expected = evaluate_case(case, predictor, EvaluationOptions(4, LEVELS, 0.4))
    (series,) = run([case], tiny_package, "gaussian", tmp_path / "out", seed=4).series
    for name in ("ur_sigma", "ur_star_sigma", "tau_sigma"):
        assert series.relation[name] == pytest.approx(expected.value(name, "mean"), abs=1e-12)
    assert series.clean is not None
    for metric in ("dice", "hd95_mm", "ece", "auroc_error", "aurc", "ueo"):
        assert series.clean.value(metric) == pytest.approx(expected.value(metric, "mean"), nan_ok=True)
    far = {f"{row.level:g}": row.value("far_uncertainty") for row in series.rows}
    assert far == pytest.approx(expected.far_by_level)


def test_a_damaged_scan_is_segmented_like_any_other(case: Case, tiny_package: Package) -> None:
    from SUREUncertaintyLib.files.reading import read_volume

    predictor, image = NativePredictor(tiny_package, PointEngine()), read_volume(case.image)
    recipe = make_recipe("blur", 0.6, 0, case.id, image.grid.spacing_kji)
    (direct,) = predictor.corrupted(image, [recipe])
    expected = predictor.predict(corrupt_volume(image, recipe))
    np.testing.assert_array_equal(direct.labels, expected.labels)
    np.testing.assert_array_equal(direct.uncertainty, expected.uncertainty)
    np.testing.assert_array_equal(direct.probabilities, expected.probabilities)
    (zero,) = predictor.corrupted(image, [make_recipe("ghosting", 0.0, 0, case.id)])
    np.testing.assert_array_equal(zero.labels, predictor.predict(image).labels)


def test_a_brightness_shift_reaches_the_network_after_the_normalisation(case: Case, tiny_package: Package) -> None:
    from SUREUncertaintyLib.files.reading import read_volume

    engine = Recorder()
    recipes = [make_recipe("brightness", strength, 0, case.id) for strength in (0.0, 0.7)]
    list(NativePredictor(tiny_package, engine).corrupted(read_volume(case.image), recipes))
    half = len(engine.seen) // 2
    for clean, shifted in zip(engine.seen[:half], engine.seen[half:], strict=True):
        np.testing.assert_allclose(shifted - clean, 0.7, atol=1e-6)


def test_agreement_and_uncertainty_are_what_they_say(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    from SUREUncertaintyLib.files.reading import read_volume

    (series,) = run([case], tiny_package, "speckle", tmp_path / "out").series
    predictor, image = NativePredictor(tiny_package, PointEngine()), read_volume(case.image)
    clean = predictor.predict(image)
    (damaged,) = predictor.corrupted(image, [make_recipe("speckle", 0.8, 0, case.id, image.grid.spacing_kji)])
    row = series.levels[-1]
    for value, name in ((1, "shell"), (2, "core")):
        expected = dice(damaged.labels == value, clean.labels == value)
        assert row.value("agreement_dice", name) == pytest.approx(expected)
        assert row.value("dice", name) == pytest.approx(dice(damaged.labels == value, phantom() == value))
    distance = boundary_distance(phantom(), (1.0, 1.0, 1.0))
    assert distance is not None
    assert row.value("near_uncertainty") == pytest.approx(float(damaged.uncertainty[distance <= 6].mean()), rel=1e-5)
    assert row.value("far_uncertainty") == pytest.approx(float(damaged.uncertainty[distance > 6].mean()), rel=1e-5)
    assert row.physical == {"relative_spread": pytest.approx(0.4)}


def test_without_a_label_the_boundary_is_the_predictions(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    outcome = run([single_case(case.image)], tiny_package, "gaussian", tmp_path / "out")
    (series,) = outcome.series
    assert series.boundary == "prediction"
    assert outcome.document["boundary"] == {"prediction": 1}
    assert math.isnan(series.levels[0].value("dice"))
    assert series.levels[0].undefined["dice"]["mean"] == "no reference label"
    assert not math.isnan(series.levels[0].value("near_uncertainty"))


def test_fewer_than_three_levels_leave_the_relation_undefined(
    case: Case, tiny_package: Package, tmp_path: Path
) -> None:
    outcome = run([case], tiny_package, "gaussian", tmp_path / "out", levels=(0.5,))
    (series,) = outcome.series
    assert all(math.isnan(value) for value in series.relation.values())
    assert series.undefined["tau_sigma"] == "fewer than 3 levels"
    document = json.loads((tmp_path / "out" / "robustness.json").read_text(encoding="utf-8"))
    assert document["series"][0]["relation"]["ur_sigma"] is None
    assert document["corruptions"]["gaussian"]["undefined"]["ur_sigma"] == {"fewer than 3 levels": 1}


def test_an_empty_prediction_is_said_not_scored(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    nothing = PointEngine((0.0, 0.0, 0.0), (9.0, -9.0, -9.0))
    outcome = run([single_case(case.image)], tiny_package, "gaussian", tmp_path / "out", nothing)
    (series,) = outcome.series
    row = series.levels[-1]
    assert row.undefined["agreement_dice"]["mean"] == "both empty"
    assert row.undefined["near_uncertainty"]["mean"] == "no boundary between labels"
    assert series.undefined["ur_sigma"] == "no boundary between labels"
    assert series.breaks_at is None
    assert series.boundary == ""
    assert "finds nothing" in finding("gaussian", outcome.document["corruptions"]["gaussian"])


def test_an_empty_label_leaves_the_boundary_undefined(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    empty = tmp_path / "empty.nii.gz"
    write_volume(Volume(np.zeros(SHAPE, np.uint8), Grid(SHAPE)), empty)
    (series,) = run([single_case(case.image, empty)], tiny_package, "gaussian", tmp_path / "out").series
    assert series.undefined["ur_sigma"] == "no boundary between labels"
    assert series.levels[0].value("dice") == 0.0
    assert series.levels[0].value("agreement_dice") > 0.5


def test_relate_knows_a_perfect_and_a_reversed_order() -> None:
    rising = [np.full(5, value, np.float32) for value in (0.1, 0.2, 0.3)]
    assert relate((0.1, 0.2, 0.3), rising)[0] == {"ur_sigma": 1.0, "ur_star_sigma": 1.0, "tau_sigma": 1.0}
    assert relate((0.1, 0.2, 0.3), rising[::-1])[0] == {"ur_sigma": 0.0, "ur_star_sigma": 0.0, "tau_sigma": -1.0}
    same, reasons = relate((0.1, 0.2, 0.3), [rising[0]] * 3)
    assert (same["ur_sigma"], same["ur_star_sigma"]) == (0.0, 0.5)
    assert reasons == {"tau_sigma": "the uncertainty is the same at every level"}


def level(strength: float, agreement: float, near: float = 0.1) -> LevelResult:
    return LevelResult(strength, {}, {"agreement_dice": {"mean": agreement}, "near_uncertainty": {"mean": near}})


def series_of(name: str, group: str, *agreements: float) -> SeriesResult:
    levels = tuple(level((n + 1) / 10, value) for n, value in enumerate(agreements))
    return SeriesResult(name, group, "blur", clean=level(0.0, 1.0), levels=levels, relation={"ur_sigma": 0.5})


def test_it_breaks_at_the_lowest_level_below_nine_tenths() -> None:
    assert series_of("a", "a", 0.95, 0.9, 0.8999, 0.95).breaks_at == pytest.approx(0.3)
    assert series_of("a", "a", 0.95, 0.9).breaks_at is None
    assert series_of("a", "a", 0.95, float("nan"), 0.2).breaks_at == pytest.approx(0.3)


def test_means_are_over_groups_and_the_mean_decides_where_it_breaks() -> None:
    listed = [series_of("a1", "a", 0.9, 0.5), series_of("a2", "a", 1.0, 0.9), series_of("b", "b", 0.8, 0.9)]
    listed.append(SeriesResult("c", "c", "blur", error="It is gone."))
    listed.append(SeriesResult("d", "d", "blur", skipped="No use."))
    entry = summarise_corruptions(listed, 0)["blur"]
    assert list(entry["levels"]) == ["0", "0.1", "0.2"]
    assert entry["levels"]["0.1"]["metrics"]["agreement_dice"]["mean"] == pytest.approx((0.95 + 0.8) / 2)
    assert entry["levels"]["0.1"]["metrics"]["agreement_dice"]["n"] == 2
    assert entry["breaks_at"] == 0.1
    assert (entry["n_cases"], entry["broken_cases"], entry["skipped"]) == (3, 2, {"No use.": 1})
    assert entry["relation"]["ur_sigma"]["mean"] == 0.5


def test_results_return_from_json(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    (series,) = run([case], tiny_package, "salt_and_pepper", tmp_path / "out", levels=(0.2, 0.9)).series
    again = SeriesResult.from_json(json.loads(json.dumps(series.to_json())))
    assert json.dumps(again.to_json()) == json.dumps(series.to_json())
    assert again.recipe["drawn"] == series.recipe["drawn"]
