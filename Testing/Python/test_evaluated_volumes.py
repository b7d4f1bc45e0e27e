"""Volumes in an evaluation: their error, whether ranges hold them, and the worst cases by name."""

import json
from pathlib import Path

import numpy as np
import pytest
from SUREUncertaintyLib.analysis.volume_range import VoxelRange
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.evaluation.case_evaluation import EvaluationOptions
from SUREUncertaintyLib.evaluation.case_result import Scores
from SUREUncertaintyLib.evaluation.cases import read_cases
from SUREUncertaintyLib.evaluation.evaluate import Evaluation, evaluate_cases
from SUREUncertaintyLib.evaluation.predictor import Prediction
from SUREUncertaintyLib.evaluation.structure_scores import score_volumes
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.packages.package import Package
from tiny import PointEngine

GRID = Grid((16, 16, 16), (2.0, 1.0, 1.0))
SHELL = 8 * 8 * 8
"""Voxels of the cube that the engine outlines."""


def evaluated(folder: Path, package: Package, depths: tuple[int, ...]) -> Evaluation:
    """The engine outlines a cube of 8 voxels a side; each label is ``depth`` slices deep instead of 8."""
    rows = ["image,label,id"]
    for number, depth in enumerate(depths):
        image = np.full(GRID.shape, -1.0, np.float32)
        image[4:12, 4:12, 4:12] = 1.0
        label = np.zeros(GRID.shape, np.uint8)
        label[4 : 4 + depth, 4:12, 4:12] = 1
        write_volume(Volume(image, GRID), folder / f"s{number}.nrrd")
        write_volume(Volume(label, GRID), folder / f"l{number}.nrrd")
        rows.append(f"s{number}.nrrd,l{number}.nrrd,case{number}")
    (folder / "CASES.csv").write_text("\n".join(rows) + "\n")
    engine = PointEngine(offsets=(4.0, 0.0, -50.0))
    options = EvaluationOptions(noise_levels=())
    return evaluate_cases(read_cases(folder / "CASES.csv"), package, engine, folder / "out", options)


def test_the_error_of_a_volume_is_in_ml_and_a_range_that_misses_it_says_so(
    tiny_package: Package, tmp_path: Path
) -> None:
    found = evaluated(tmp_path, tiny_package, (8, 2))
    exact, wrong = found.results
    drawn = SHELL * 2.0 / 1000.0
    assert exact.value("volume_error_ml", "shell") < 0.2 * drawn  # the cube's corners are lost in resampling
    difference = wrong.value("volume_error_ml", "shell")
    assert difference == pytest.approx(drawn * 6 / 8, abs=0.2 * drawn)
    assert exact.value("range_coverage", "shell") == 1.0


def test_a_range_that_misses_the_volume_of_the_label_counts_as_missed() -> None:
    drawn = np.zeros((8, 8, 8), np.uint8)
    drawn[2:6, 2:6, 2:6] = 1
    true = np.zeros_like(drawn)
    true[2:4, 2:6, 2:6] = 1
    scores, classes = Scores(), (Label(0, "background"), Label(1, "shell"))
    maps = (np.zeros((2, *drawn.shape), np.float32), np.zeros(drawn.shape, np.float32))
    for low, high, held in ((60, 70, 0.0), (30, 70, 1.0)):
        prediction = Prediction(drawn, *maps, ranges={1: VoxelRange(low, high)})
        score_volumes(scores, prediction, true, classes, (1.0, 1.0, 2.0))
        assert scores.values["range_coverage"]["shell"] == held
        assert scores.values["volume_error_ml"]["mean"] == pytest.approx(32 * 2.0 / 1000.0)
    score_volumes(scores, Prediction(drawn, *maps), true, classes, (1.0, 1.0, 2.0))
    assert np.isnan(scores.values["range_coverage"]["shell"])
    assert scores.undefined["range_coverage"]["shell"] == "the model gives no volume range here"


def test_the_worst_cases_are_named_first_and_stand_on_the_page(tiny_package: Package, tmp_path: Path) -> None:
    found = evaluated(tmp_path, tiny_package, (8, 2, 7, 4, 6, 3, 5))
    assert [case["id"] for case in found.summary["worst"]] == ["case1", "case5", "case3", "case6", "case4"]
    recorded = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert recorded["worst"][0]["dice"] == pytest.approx(found.results[1].value("dice", "mean"))
    page = (tmp_path / "out" / "evaluation.html").read_text(encoding="utf-8")
    assert "Five worst cases" in page
    assert page.index("case1") < page.index("case5") < page.index("case4")
    assert "case0" not in page
    assert "Volume range holds" in page
