"""``sure calibrate``: labelled scans in, a model that foretells its Dice out."""

from pathlib import Path

import numpy as np
import pytest
import typer
from SUREUncertaintyLib.analysis.quality.run_measures import COPIES, MEASURES
from SUREUncertaintyLib.cli.calibrate import calibrate
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.package import Package, load_package
from SUREUncertaintyLib.packages.package_building import amend_package
from SUREUncertaintyLib.report.result_folder import OutputOptions, write_results
from test_cli_evaluate import write_case
from tiny import PointEngine
from typer.testing import CliRunner, Result


def write_list(folder: Path, count: int) -> Path:
    for number in range(count):
        write_case(folder, f"c{number}", number)
    rows = ["image,label,group", *(f"c{n}.nii.gz,c{n}_label.nii.gz,p{n}" for n in range(count))]
    (folder / "CASES.csv").write_text("\n".join(rows) + "\n")
    return folder / "CASES.csv"


def call(cases: Path, package: Package, *options: str) -> Result:
    app = typer.Typer()
    app.command()(calibrate)
    fixed = [str(package.root), "--cases", str(cases), "--workers", "1", "--engine", "openvino"]
    return CliRunner().invoke(app, [*fixed, *options])


def test_every_run_has_a_forecast_after_a_calibration_and_none_after_other_weights(
    tmp_path: Path, package: Package
) -> None:
    cases = write_list(tmp_path, 10)
    result = call(cases, package, "--mild-copies")
    assert result.exit_code == 0, result.output
    assert "Fitted on 10 scans of 10 patients" in result.output
    assert not list(tmp_path.glob(".*.progress.jsonl"))
    fitted = load_package(package.root)
    kept = fitted.metadata.quality
    assert kept is not None
    assert (kept["patients"], kept["copies"], kept["record"]["data"]) == (10, True, "CASES.csv")
    assert set(kept["scores"]) == {"dice", "surface_dice"}
    assert set(kept["scores"]["dice"]) == {"shell", "core", "whole"}
    found = segment(read_volume(tmp_path / "c3.nii.gz"), fitted, create_engine(fitted, "openvino"))
    (quality,) = found.quality
    assert quality.dice.known, quality.reason
    assert quality.dice.low <= quality.dice.value <= quality.dice.high
    folder = tmp_path / "out"
    folder.mkdir()
    document = write_results(found, folder, fitted, OutputOptions(pictures=False))
    assert document["quality"][0]["dice"]["value"] == quality.dice.value
    assert document["quality"][0]["sentence"] in (folder / "report.html").read_text(encoding="utf-8")
    for row in document["structures"]:
        assert row["predicted_dice_low"] <= row["predicted_dice"] <= row["predicted_dice_high"]
    heading = (folder / "structures.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert {"predicted_dice", "predicted_dice_low", "predicted_dice_high"} <= set(heading)
    other = {**fitted.metadata.raw["quality"], "digest": "another"}
    fitted.metadata.raw["quality"] = other
    assert segment(read_volume(tmp_path / "c3.nii.gz"), fitted, create_engine(fitted, "openvino")).quality == ()


def test_a_failed_case_stops_no_other_and_nine_patients_are_too_few(tmp_path: Path, package: Package) -> None:
    cases = write_list(tmp_path, 10)
    (tmp_path / "c4.nii.gz").unlink()
    before = (package.root / "configs" / "metadata.json").read_bytes()
    result = call(cases, package)
    assert isinstance(result.exception, InputError)
    assert "10 patients or more" in str(result.exception)
    assert (package.root / "configs" / "metadata.json").read_bytes() == before


def test_a_list_without_labels_is_refused(tmp_path: Path, package: Package) -> None:
    write_case(tmp_path, "c0", 0)
    (tmp_path / "CASES.csv").write_text("image\nc0.nii.gz\n")
    result = call(tmp_path / "CASES.csv", package)
    assert isinstance(result.exception, InputError)
    assert "column label" in str(result.exception)


def test_a_case_that_was_trained_on_is_named(tmp_path: Path, package: Package) -> None:
    cases = write_list(tmp_path, 2)
    result = call(cases, amend_package(package, {"training": {"training_ids": ["c1"]}}))
    assert "1 cases have an id of a case that the model was trained on (c1)" in result.output


def test_a_run_measures_itself_region_by_region(tiny_package: Package) -> None:
    values = np.full((24, 24, 40), -1.0, np.float32)
    values[8:16, 8:16, 4:12] = 1.0
    values[8:16, 8:16, 30:38] = 1.0
    scan = Volume(values, Grid(values.shape), "scan")
    boxes = (Roi("A", (-20.0, -24.0, 0.0), (0.0, 0.0, 24.0)), Roi("B", (-40.0, -24.0, 0.0), (-20.0, 0.0, 24.0)))
    engine = PointEngine(offsets=(4.0, 0.0, -50.0))
    found = segment(scan, tiny_package, engine, boxes, copies=True)
    assert [run.region for run in found.measures] == ["A", "B"]
    assert found.measures[0].missing == ("core",)
    shell = found.measures[0].structures["shell"]
    assert list(shell) == list(MEASURES)
    assert shell["small_pieces"] == 0.0
    assert shell["cut_by_edge"] == 0.0
    assert all(0.0 <= shell[name] < 0.5 for name in COPIES)
    plain = segment(scan, tiny_package, engine, boxes)
    assert all(np.isnan(plain.measures[0].structures["shell"][name]) for name in COPIES)


def test_the_expected_dice_is_that_of_the_probabilities(tiny_package: Package) -> None:
    """A voxel of value x has the evidence of its logits: here the sums can be formed by hand."""
    values = np.full((16, 16, 16), -1.0, np.float32)
    values[4:12, 4:12, 4:12] = 1.0
    found = segment(Volume(values, Grid(values.shape), "scan"), tiny_package, PointEngine(), keep_probabilities=True)
    assert found.probabilities is not None
    won, p = found.labels.array == 1, found.probabilities[1].astype(np.float64)
    expected = 2.0 * p[won].sum() / (won.sum() + p.sum())
    assert found.measures[0].structures["shell"]["overlap_expected"] == pytest.approx(1.0 - expected, abs=1e-6)


def test_of_few_patients_results_tell_their_stability_and_no_dice(tmp_path: Path, package: Package) -> None:
    result = call(write_list(tmp_path, 3), package)
    assert result.exit_code == 0, result.output
    assert "Fewer than ten patients" in result.output
    assert "Stability of 3 scans of 3 patients" in result.output
    fitted = load_package(package.root)
    kept = fitted.metadata.quality
    assert kept is not None
    assert (kept["schema"], kept["patients"], kept["record"]["kinds"]) == ("sure-stability/1", 3, [])
    found = segment(read_volume(tmp_path / "c1.nii.gz"), fitted, create_engine(fitted, "openvino"))
    (quality,) = found.quality
    measures = found.measures[0].structures.values()
    unlike = np.mean([[one["unlike_noisy"], one["unlike_blurred"]] for one in measures])
    assert quality.stability == pytest.approx(1.0 - unlike)
    assert kept["low"] - 1e-9 <= quality.stability <= kept["high"] + 1e-9
    assert not quality.dice.known
    assert found.verdict.status == "check"
    sentence = f"3 labelled patients are too few (10 are needed). Stability {quality.stability:.2f}"
    assert any(sentence in reason for reason in found.verdict.reasons)
    folder = tmp_path / "out"
    folder.mkdir()
    document = write_results(found, folder, fitted, OutputOptions(pictures=False))
    assert document["quality"][0]["stability"] == quality.stability
    assert all(row["predicted_dice"] is None and "too few" in row["no_forecast"] for row in document["structures"])
