"""Runs of the robustness test: cancel and resume, lists, bad input, page and command."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damaged import LEVELS, Stop, run, write_case
from SUREUncertaintyLib.cli.robustness import robustness
from SUREUncertaintyLib.core.errors import Cancelled, InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.corruptions.corruption import NotApplicable
from SUREUncertaintyLib.corruptions.registry import NAMES
from SUREUncertaintyLib.evaluation.cases import Case, read_cases, single_case
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.estimation.estimator_choice import estimate
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.robustness.chart import _most_uncertainty
from SUREUncertaintyLib.robustness.measure import parse_corruptions, run_robustness
from SUREUncertaintyLib.robustness.page import add_robustness_page
from SUREUncertaintyLib.robustness.series import SeriesOptions
from SUREUncertaintyLib.robustness.strengths import parse_levels
from tiny import PointEngine
from typer.testing import CliRunner, Result


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


def test_uncertainty_has_an_axis_of_its_own_on_the_card_so_that_small_uncertainty_is_seen() -> None:
    def entry(near: list[float | None]) -> dict[str, Any]:
        metrics = [{"near_uncertainty": {"mean": x, "low": x, "high": None if x is None else 1.5 * x}} for x in near]
        nothing = {"mean": None, "low": None, "high": None}
        return {"levels": {f"0.{n}": {"metrics": {**m, "far_uncertainty": nothing}} for n, m in enumerate(metrics)}}

    assert _most_uncertainty([entry([0.01, 0.02]), entry([0.04, None])]) == pytest.approx(1.1 * 1.5 * 0.04)
    assert _most_uncertainty([entry([None, None])]) == 1.0
    assert _most_uncertainty([entry([0.0, 0.0])]) == 1.0
