"""The robustness test: every number against the metrics it is made of, cancel and resume, bad input."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from SUREUncertaintyLib.cli.robustness import robustness
from SUREUncertaintyLib.core.errors import Cancelled
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.core.writing import write_volume
from SUREUncertaintyLib.corruptions.corruption import NotApplicable
from SUREUncertaintyLib.corruptions.registry import NAMES
from SUREUncertaintyLib.corruptions.registry import corrupt_volume
from SUREUncertaintyLib.corruptions.registry import make_recipe
from SUREUncertaintyLib.inference.estimation.choose import estimate
from SUREUncertaintyLib.metrics.boundary import boundary_distance
from SUREUncertaintyLib.metrics.case_evaluation import EvaluationOptions
from SUREUncertaintyLib.metrics.case_evaluation import evaluate_case
from SUREUncertaintyLib.metrics.cases import Case
from SUREUncertaintyLib.metrics.cases import read_cases
from SUREUncertaintyLib.metrics.cases import single_case
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.metrics.predictor import NativePredictor
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.report.robustness_page import add_robustness_page
from SUREUncertaintyLib.report.robustness_page import finding
from SUREUncertaintyLib.robustness.levels import parse_levels
from SUREUncertaintyLib.robustness.results import LevelResult
from SUREUncertaintyLib.robustness.results import SeriesResult
from SUREUncertaintyLib.robustness.run import Robustness
from SUREUncertaintyLib.robustness.run import parse_corruptions
from SUREUncertaintyLib.robustness.run import run_robustness
from SUREUncertaintyLib.robustness.series import SeriesOptions
from SUREUncertaintyLib.robustness.series import relate
from SUREUncertaintyLib.robustness.summary import summarise_corruptions
from tiny import PointEngine
from typer.testing import CliRunner
from typer.testing import Result

LEVELS = (0.1, 0.4, 0.8)
SHAPE = (24, 22, 20)


class Recorder(PointEngine):
    """Keeps what the network is given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[NDArray[np.float32]] = []

    def logits(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        self.seen.append(windows.copy())
        return super().logits(windows)


def phantom() -> NDArray[np.uint8]:
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[8:14, 8:14, 8:14] = 1
    labels[10:12, 10:12, 10:12] = 2
    return labels


def write_case(folder: Path, name: str = "a", seed: int = 0, below_zero: bool = False) -> Case:
    """A scan whose brightness follows its label, and the label."""
    labels, grid = phantom(), Grid(SHAPE, (1.0, 1.0, 1.0))
    noise = np.random.default_rng(seed).normal(0, 3, SHAPE)
    image = (60 + 40.0 * (labels == 1) - 50.0 * (labels == 2) + noise).astype(np.float32)
    write_volume(Volume(image - (100 if below_zero else 0), grid), folder / f"{name}.nii.gz")
    write_volume(Volume(labels, grid), folder / f"{name}_label.nii.gz")
    return single_case(folder / f"{name}.nii.gz", folder / f"{name}_label.nii.gz")


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """One labelled scan."""
    return write_case(tmp_path)


def run(
    cases: list[Case], package: Package, corruption: str, output: Path, engine: Any = None, **options: Any
) -> Robustness:
    predictor = NativePredictor(package, engine or PointEngine())
    chosen = SeriesOptions(**{"levels": LEVELS, **options})
    return run_robustness(cases, predictor, parse_corruptions(corruption), output, chosen)


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
    from SUREUncertaintyLib.core.reading import read_volume

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
    from SUREUncertaintyLib.core.reading import read_volume

    engine = Recorder()
    recipes = [make_recipe("brightness", strength, 0, case.id) for strength in (0.0, 0.7)]
    list(NativePredictor(tiny_package, engine).corrupted(read_volume(case.image), recipes))
    half = len(engine.seen) // 2
    for clean, shifted in zip(engine.seen[:half], engine.seen[half:], strict=True):
        np.testing.assert_allclose(shifted - clean, 0.7, atol=1e-6)


def test_agreement_and_doubt_are_what_they_say(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    from SUREUncertaintyLib.core.reading import read_volume

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


class Stop:
    """Says stop after some asks, and counts the network's calls."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_cancelled_run_goes_on_where_it_stopped(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    output, store = tmp_path / "out", tmp_path / ".out.levels"
    whole = PointEngine()
    expected = run([case], tiny_package, "gaussian", tmp_path / "whole", whole).document
    options, predictor = SeriesOptions(LEVELS), NativePredictor(tiny_package, PointEngine())
    with pytest.raises(Cancelled, match="the same command goes on"):
        run_robustness([case], predictor, ("gaussian",), output, options, is_cancelled=Stop(whole.calls * 3 // 4))
    assert not output.exists()
    kept = len(list(store.glob("*.npz")))
    assert 1 <= kept < 4
    second = PointEngine()
    outcome = run([case], tiny_package, "gaussian", output, second)
    assert 0 < second.calls < whole.calls
    assert json.dumps(outcome.document["series"]) == json.dumps(expected["series"])
    assert not store.exists()


def test_a_finished_series_of_a_stopped_list_is_not_run_again(
    case: Case, tiny_package: Package, tmp_path: Path
) -> None:
    both, whole = [case, write_case(tmp_path, "b", 1)], PointEngine()
    expected = run(both, tiny_package, "speckle", tmp_path / "whole", whole).document
    predictor, stop = NativePredictor(tiny_package, PointEngine()), Stop(whole.calls)
    with pytest.raises(Cancelled):
        run_robustness(both, predictor, ("speckle",), tmp_path / "out", SeriesOptions(LEVELS), is_cancelled=stop)
    kept = [path.suffix for path in (tmp_path / ".out.levels").iterdir()]
    assert kept.count(".json") == 1
    assert 1 <= kept.count(".npz") <= len(LEVELS), "the levels of the finished series have gone"
    second = PointEngine()
    document = run(both, tiny_package, "speckle", tmp_path / "out", second).document
    assert second.calls <= whole.calls / 2
    assert json.dumps(document) == json.dumps(expected)


def test_levels_of_another_seed_or_a_damaged_store_are_not_taken_up(
    case: Case, tiny_package: Package, tmp_path: Path
) -> None:
    output, store = tmp_path / "out", tmp_path / ".out.levels"
    whole = PointEngine()
    run([case], tiny_package, "gaussian", tmp_path / "whole", whole)
    options, predictor = SeriesOptions(LEVELS), NativePredictor(tiny_package, PointEngine())
    with pytest.raises(Cancelled):
        run_robustness([case], predictor, ("gaussian",), output, options, is_cancelled=Stop(whole.calls))
    assert list(store.glob("*.npz"))
    for path in store.glob("*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    again = PointEngine()
    run([case], tiny_package, "gaussian", output, again)
    assert again.calls == whole.calls


def test_a_list_goes_on_past_what_cannot_be_read_and_skips_what_makes_no_sense(
    case: Case, tiny_package: Package, tmp_path: Path
) -> None:
    below = write_case(tmp_path, "below", 1, below_zero=True)
    gone = single_case(tmp_path / "gone.nii.gz")
    outcome = run([case, gone, below], tiny_package, "rician,blur", tmp_path / "out", levels=(0.5,))
    assert outcome.n_failed == 1
    assert outcome.document["failed"][0]["id"] == "gone"
    assert outcome.document["corruptions"]["rician"]["n_cases"] == 1
    assert "values below zero" in next(iter(outcome.document["corruptions"]["rician"]["skipped"]))
    assert outcome.document["corruptions"]["blur"]["n_cases"] == 2
    with (tmp_path / "out" / "robustness.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["id"] for row in rows} == {"a", "gone", "below"}
    assert sum(bool(row["problem"]) for row in rows) == 3
    assert {row["structure"] for row in rows} == {"shell", "core", "mean", ""}


def test_the_only_series_raises_its_own_error(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    below = write_case(tmp_path, "below", 1, below_zero=True)
    with pytest.raises(NotApplicable, match="Choose gaussian"):
        run([below], tiny_package, "rician", tmp_path / "out")
    other = tmp_path / "other.nii.gz"
    write_volume(Volume(np.ones((5, 5, 5), np.uint8), Grid((5, 5, 5))), other)
    with pytest.raises(InputError, match="does not lie on the voxels"):
        run([single_case(case.image, other)], tiny_package, "blur", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_number_exists_for_another_estimator(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    chosen = estimate(tiny_package, PointEngine(), "tta")
    document = run([case], chosen.package, "gaussian", tmp_path / "out", chosen.engine).document
    assert (document["estimator"], document["passes"], document["uncertainty"]) == ("tta", chosen.passes, "entropy")
    assert document["corruptions"]["gaussian"]["relation"]["tau_sigma"]["n"] == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.1,1.5", "strength 1.5 is not possible"),
        ("-0.1", "strength -0.1 is not possible"),
        ("0.1,weak", "are not numbers"),
        ("", "no level to run"),
        ("0.3,0.3", "0.3 stands twice"),
        ("nan", "not possible"),
    ],
)
def test_levels_that_make_no_sense_are_refused(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        parse_levels(text)


def test_levels_and_corruptions_are_read_as_typed() -> None:
    assert parse_levels("0.5, 0,0.1") == (0.0, 0.1, 0.5)
    assert parse_corruptions("blur, rician,blur") == ("blur", "rician")
    assert parse_corruptions("all") == NAMES
    with pytest.raises(InputError, match="No corruption was named"):
        parse_corruptions(" , ")
    with pytest.raises(InputError, match="no corruption called 'fog'"):
        parse_corruptions("fog")


def test_a_unit_that_a_corruption_lacks_is_refused_before_anything_runs(
    case: Case, tiny_package: Package, tmp_path: Path
) -> None:
    engine = PointEngine()
    with pytest.raises(InputError, match="own noise"):
        run([case], tiny_package, "blur", tmp_path / "out", engine, unit="scan_noise")
    assert engine.calls == 0
    (series,) = run([case], tiny_package, "gaussian", tmp_path / "out", unit="scan_noise").series
    assert series.levels[0].physical == {"noise_multiples": pytest.approx(1.0)}


def test_the_page_says_what_breaks_and_carries_its_chart(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    from matplotlib.image import imread

    output = tmp_path / "out"
    predictor = NativePredictor(tiny_package, PointEngine())
    run_robustness([case], predictor, ("gaussian",), output, SeriesOptions(LEVELS), additions=(add_robustness_page,))
    page = (output / "robustness.html").read_text(encoding="utf-8")
    assert "Research use only" in page
    assert "Gaussian noise: breaks at level" in page
    assert "spread (in units of the normalised input)" in page
    assert "<script" not in page
    assert "data:image/png;base64," in page
    chart = imread(output / "robustness.png")
    assert chart.shape[1] > 1000
    assert float(chart[..., :3].std()) > 0.05, "something is drawn"


def call(*arguments: str) -> Result:
    import typer

    app = typer.Typer()
    app.command()(robustness)
    return CliRunner().invoke(app, list(arguments))


def test_the_command_runs_one_scan(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    output = tmp_path / "out"
    fixed = ["--model", str(tiny_package.root), "--output", str(output), "--engine", "openvino"]
    done = call(str(case.image), "--label", str(case.label), "--corruption", "blur", "--levels", "0,0.5,1", *fixed)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Blur: ")
    names = {path.name for path in output.iterdir()}
    assert {"robustness.csv", "robustness.json", "robustness.html", "robustness.png"} <= names
    again = call(str(case.image), "--corruption", "blur", "--json", "--levels", "0.5", "--overwrite", *fixed)
    assert again.exit_code == 0, again.output
    document = json.loads(again.stdout)
    assert (document["engine"], document["levels"], document["boundary"]) == ("openvino", [0.5], {"prediction": 1})


def test_the_command_makes_a_card_of_a_list_and_says_what_failed(tiny_package: Package, tmp_path: Path) -> None:
    write_case(tmp_path, "a")
    (tmp_path / "CASES.csv").write_text("image,label\na.nii.gz,a_label.nii.gz\ngone.nii.gz,\n")
    assert len(read_cases(tmp_path / "CASES.csv")) == 2
    output = tmp_path / "card"
    fixed = ["--model", str(tiny_package.root), "--output", str(output), "--engine", "openvino"]
    done = call("--cases", str(tmp_path / "CASES.csv"), "--corruption", "all", "--levels", "0.5", *fixed)
    assert done.exit_code == 3, done.output
    assert "failed: gone: The scan" in done.stdout
    page = (output / "robustness.html").read_text(encoding="utf-8")
    assert "Robustness card of tiny" in page
    assert page.count("<tr>") == 1 + len(NAMES)
    assert page.count('<p class="notice') <= 3, "holds, breaks, failed"


def test_the_command_refuses_what_does_not_fit_together(case: Case, tiny_package: Package, tmp_path: Path) -> None:
    fixed = ["--model", str(tiny_package.root), "--output", str(tmp_path / "out"), "--corruption", "blur"]
    for arguments, why in (
        ([], "either one scan"),
        ([str(case.image), "--cases", "CASES.csv"], "either one scan"),
        ([str(case.image), "--split", "val"], "--split chooses from a list"),
        (["--cases", "CASES.csv", "--label", str(case.label)], "--label belongs to one scan"),
        ([str(case.image), "--levels", "0.1,2"], "strength 2 is not possible"),
    ):
        done = call(*arguments, *fixed)
        assert isinstance(done.exception, InputError), done.output
        assert why in str(done.exception)
    assert not (tmp_path / "out").exists()
