"""``sure evaluate`` as a user types it."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from SUREUncertaintyLib.cli.evaluate import evaluate
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.packages.package import Package
from typer.testing import CliRunner, Result


def write_case(folder: Path, name: str, seed: int) -> None:
    grid = Grid((16, 18, 20))
    labels = np.zeros(grid.shape, dtype=np.uint8)
    labels[4:12, 5:13, 6:14] = 1
    labels[6:10, 7:11, 8:12] = 2
    image = (labels * 50 + np.random.default_rng(seed).normal(0, 5, grid.shape)).astype(np.float32)
    write_volume(Volume(image, grid), folder / f"{name}.nii.gz")
    write_volume(Volume(labels, grid), folder / f"{name}_label.nii.gz")


@pytest.fixture
def case_list(tmp_path: Path) -> Path:
    """Two cases in split val, one whose image is missing in split other."""
    for seed, name in enumerate(("a", "b")):
        write_case(tmp_path, name, seed)
    rows = ["image,label,split", *(f"{n}.nii.gz,{n}_label.nii.gz,val" for n in "ab"), "gone.nii.gz,,other"]
    (tmp_path / "CASES.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "CASES.csv"


def call(case_list: Path, package: Package, *options: str) -> Result:
    app = typer.Typer()
    app.command()(evaluate)
    output = case_list.parent / "out"
    fixed = ["--cases", str(case_list), "--model", str(package.root), "--output", str(output)]
    return CliRunner().invoke(app, [*fixed, *options])


def test_a_split_is_evaluated_and_the_files_are_written(case_list: Path, tiny_package: Package) -> None:
    result = call(case_list, tiny_package, "--split", "val", "--engine", "openvino", "--no-noise")
    assert result.exit_code == 0, result.output
    summary = json.loads((case_list.parent / "out" / "summary.json").read_text(encoding="utf-8"))
    assert (summary["n_cases"], summary["n_failed"], summary["engine"]) == (2, 0, "openvino")
    written = sorted(path.name for path in (case_list.parent / "out").iterdir() if not path.name.startswith("."))
    assert written == ["cases.csv", "evaluation.html", "summary.json"]  # as docs/scripting.md says
    assert "Dice" in result.stdout
    assert "summary.json" in result.stdout


def test_a_missing_file_gives_exit_code_3_and_the_others_run(case_list: Path, tiny_package: Package) -> None:
    result = call(case_list, tiny_package, "--no-noise")
    assert result.exit_code == 3
    assert "failed: gone: The scan" in result.stdout
    assert (
        json.loads((case_list.parent / "out" / "summary.json").read_text(encoding="utf-8"))["metrics"]["ece"]["mean"][
            "n"
        ]
        == 2
    )


def test_json_prints_the_summary_and_nothing_else(case_list: Path, tiny_package: Package) -> None:
    result = call(case_list, tiny_package, "--split", "val", "--json", "--seed", "4")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed == json.loads((case_list.parent / "out" / "summary.json").read_text(encoding="utf-8"))
    assert printed["seed"] == 4
    assert printed["noise"]["levels"] == [0.1, 0.3, 0.5, 0.7, 0.9]
    assert printed["metrics"]["ur_sigma"]["mean"]["n"] == 2


def test_an_unknown_rule_for_missed_structures_is_refused(case_list: Path, tiny_package: Package) -> None:
    result = call(case_list, tiny_package, "--missed", "zero")
    assert isinstance(result.exception, InputError)
    assert "--missed must be undefined or diagonal" in str(result.exception)


def test_an_unknown_split_is_refused_before_anything_runs(case_list: Path, tiny_package: Package) -> None:
    result = call(case_list, tiny_package, "--split", "test")
    assert isinstance(result.exception, InputError)
    assert not (case_list.parent / "out").exists()


def test_every_estimator_is_evaluated_by_the_same_metrics_with_its_number_of_passes(
    case_list: Path, tiny_package: Package
) -> None:
    found = {}
    for estimator in ("native", "softmax", "tta"):
        result = call(case_list, tiny_package, "--split", "val", "--no-noise", "--estimator", estimator, "--overwrite")
        assert result.exit_code == 0, result.output
        found[estimator] = json.loads((case_list.parent / "out" / "summary.json").read_text(encoding="utf-8"))
    assert {name: summary["passes"] for name, summary in found.items()} == {"native": 1, "softmax": 1, "tta": 10}
    assert all(summary["estimator"] == name for name, summary in found.items())
    dice = {name: summary["metrics"]["dice"]["mean"]["mean"] for name, summary in found.items()}
    assert dice["softmax"] == pytest.approx(dice["native"], abs=0.01)
    assert dice["tta"] != dice["native"]
