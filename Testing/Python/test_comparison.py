"""A study from its file to its page: arms are trained alike, measured on scans they have not seen, and compared."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from balls import ball_recipe, write_balls, written
from SUREUncertaintyLib.cli.app import run as sure
from SUREUncertaintyLib.comparison.arm_result import ArmResult, read_result
from SUREUncertaintyLib.comparison.page import comparison_page
from SUREUncertaintyLib.comparison.run_study import run_study
from SUREUncertaintyLib.comparison.study import Study, parse_study
from SUREUncertaintyLib.comparison.study_summary import results_of, summarise
from SUREUncertaintyLib.comparison.trainings import Workplace
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.packages.package import load_package
from SUREUncertaintyLib.packages.package_building import amend_package

SPLITS = ["train", "train", "train", "val", "val"]


def study_document(recipe: Path, **changes: Any) -> dict[str, Any]:
    document = {
        "name": "balls",
        "title": "Balls",
        "recipe": str(recipe),
        "main": "sure",
        "corruptions": ["gaussian", "blur", "rician"],
        "levels": [0.5, 1.0],
        "arms": [
            {"name": "start", "hidden": True},
            {"name": "plain", "title": "Plain", "start": "start"},
            {"name": "sure", "title": "SURE", "start": "start", "changes": {"loss": {"name": "sure"}}},
            {"name": "softmax", "of": "plain", "estimator": "softmax", "every": 2},
            {"name": "pair", "of": "plain", "start": "start", "members": 2, "estimator": "ensemble", "every": 2},
        ],
        "outside": [
            {"name": "others", "title": "Other balls", "images": ["i[01].nii.gz"], "pairs": [["i0", "i4"]]},
            {"name": "absent", "title": "Absent", "images": ["nothing*"]},
        ],
    }
    return document | changes


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    folder = tmp_path_factory.mktemp("study")
    (folder / "data").mkdir()
    data = write_balls(folder / "data", SPLITS)
    written(folder, ball_recipe("ball", 2, ["s0"]))
    return Workplace(data, folder / "work", folder / "results" / "balls", "cpu")


@pytest.fixture(scope="module")
def study(place: Workplace) -> Study:
    return parse_study(study_document(place.work.parent / "ball.yaml"))


@pytest.fixture(scope="module")
def results(study: Study, place: Workplace) -> dict[str, ArmResult]:
    return {path.stem: read_result(path) for path in run_study(study, place)}


def test_every_arm_is_measured_and_leaves_its_recipe(results: dict[str, ArmResult], place: Workplace) -> None:
    assert list(results) == ["plain", "sure", "softmax", "pair"]
    recipes = {path.stem for path in (place.results / "recipes").glob("*.yaml")}
    assert recipes == {"balls-start", "balls-plain", "balls-sure", "balls-pair-member1"}
    for result in results.values():
        assert sorted(result.cases) == ["case3", "case4"]
        assert result.facts["failed"] == {}
    assert [model["name"] for model in results["pair"].facts["models"]] == ["balls-plain", "balls-pair-member1"]
    assert {name: result.facts["passes"] for name, result in results.items()} == {
        "plain": 1,
        "sure": 1,
        "softmax": 1,
        "pair": 2,
    }


def test_arms_share_their_start_and_differ_in_what_the_study_says(
    place: Workplace, results: dict[str, ArmResult]
) -> None:
    start = load_package(place.package_folder("balls-start"))
    for name in ("balls-plain", "balls-sure", "balls-pair-member1"):
        record = load_package(place.package_folder(name)).metadata.raw["training"]
        assert record["start"]["fingerprint"] == start.fingerprint
        assert sorted(record["training_ids"]) == ["case1", "case2"]
    seeds = [model["seed"] for model in results["pair"].facts["models"]]
    assert seeds == [3, 1003]


def test_points_hold_every_level_once_and_gaussian_noise_for_every_case(results: dict[str, ArmResult]) -> None:
    plain = [tuple(row[:3]) for row in results["plain"].points]
    assert len(plain) == len(set(plain)) == 2 * (1 + 5 + 2)
    assert results["plain"].facts["skipped"] == {"rician": 2}  # values below zero
    few = [tuple(row[:3]) for row in results["pair"].points]
    assert set(few) < set(plain)
    assert {key[0] for key in few if key[1] == "gaussian"} == {"case3", "case4"}
    assert {key[0] for key in few if key[1] == "blur"} == {"case3"}


def test_the_clean_point_and_the_case_agree_and_noise_is_the_protocols(results: dict[str, ArmResult]) -> None:
    for row in results["plain"].points:
        case = results["plain"].cases[row[0]]
        if row[1] == "":
            assert row[5] == pytest.approx(case["dice"], nan_ok=True)
        if row[1] == "gaussian" and row[2] == 0.9:
            assert row[5] == pytest.approx(case["dice_gaussian"], nan_ok=True)


def test_scans_of_another_kind_are_scored_with_their_pairs(results: dict[str, ArmResult]) -> None:
    rows = results["plain"].outside["others"]
    assert [row["name"] for row in rows] == ["i0.nii.gz", "i1.nii.gz"]
    assert rows[0]["own"] == pytest.approx(results["plain"].cases["case4"]["score"], rel=1e-4)
    assert "own" not in rows[1]
    assert results["plain"].outside["absent"] == []


def test_finished_arms_are_not_run_again(study: Study, place: Workplace, results: dict[str, ArmResult]) -> None:
    files = [*place.results.glob("*.json"), *place.work.glob("runs/*/manifest.json")]
    before = {path: path.stat().st_mtime_ns for path in files}
    run_study(study, place)
    assert {path: path.stat().st_mtime_ns for path in files} == before


def test_a_result_of_other_settings_is_kept_and_named(place: Workplace, results: dict[str, ArmResult]) -> None:
    other = parse_study(study_document(place.work.parent / "ball.yaml", levels=[0.3]))
    with pytest.raises(InputError, match=r"plain\.json holds a result of other settings"):
        run_study(other, place)
    changed = study_document(place.work.parent / "ball.yaml", name="balls")
    changed["arms"][2]["changes"]["loss"]["options"] = {"beta": 3.0}
    fresh = Workplace(place.data, place.work, place.results.parent / "elsewhere", "cpu")
    with pytest.raises(InputError, match="holds a training with other settings"):
        run_study(parse_study(changed), fresh)


def test_a_network_that_has_seen_a_held_out_case_is_refused(
    study: Study, place: Workplace, results: dict[str, ArmResult], tmp_path: Path
) -> None:
    package = load_package(place.package_folder("balls-plain"))
    training = package.metadata.raw["training"]
    amend_package(package, {"training": {**training, "tuning_ids": ["case4"]}})
    fresh = Workplace(place.data, place.work, tmp_path / "balls", "cpu")
    try:
        with pytest.raises(InputError, match=r"trained or tuned on 1 of the cases .*: case4"):
            run_study(study, fresh)
    finally:
        amend_package(load_package(package.root), {"training": training})
    assert not list((tmp_path / "balls").glob("*.json"))


def test_the_page_tells_differences_on_the_same_scans(
    study: Study, place: Workplace, results: dict[str, ArmResult]
) -> None:
    page = comparison_page([study], place.results.parent)
    assert "## Balls" in page
    assert "2 held-out scans of 2 subjects" in page
    gain = np.mean([results["sure"].cases[c]["dice"] - results["plain"].cases[c]["dice"] for c in ("case3", "case4")])
    row = next(line for line in page.split("SURE minus each other arm")[1].splitlines() if line.startswith("| Plain |"))
    assert f"{gain:+.3f} (" in row
    assert "Absent" not in page


def test_the_command_draws_its_page_and_names_what_it_lacks(
    place: Workplace, results: dict[str, ArmResult], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(place.work.parent, study_document(place.work.parent / "ball.yaml"))
    folder = str(place.results.parent)
    assert sure(["compare", "page", str(path), "--results", folder, "--output", str(tmp_path / "page.md")]) == 0
    assert {p.name for p in (tmp_path / "pictures").iterdir()} == {"balls-risk.png", "balls-robustness.png"}
    figure = ["compare", "figure", str(path), "pie", "--results", folder, "--output", str(tmp_path / "x.png")]
    assert sure(figure) == 2
    assert "There is no figure 'pie'" in capsys.readouterr().err
    assert sure(["compare", "run", "nothing", "--data", ".", "--output", str(tmp_path / "o")]) == 2
    assert "one of: acdc, hippocampus" in capsys.readouterr().err


def test_page_and_figures_are_the_same_from_the_summary_file(
    study: Study, place: Workplace, results: dict[str, ArmResult], tmp_path: Path
) -> None:
    summary = tmp_path / "summary.json"
    assert summarise([study], place.results.parent, summary) == [f"balls/{name}" for name in sorted(results)]
    assert comparison_page([study], summary) == comparison_page([study], place.results.parent)
    for found in results_of(study, summary):
        whole = results[found.name]
        np.testing.assert_equal([(*row[:4], row[5]) for row in found.points], [(*r[:4], r[5]) for r in whole.points])
        assert [row.get("own") for row in found.outside["others"]] == [r.get("own") for r in whole.outside["others"]]
    recipes = json.loads(summary.read_text(encoding="utf-8"))["recipes"]
    assert sorted(recipes) == ["balls-pair-member1", "balls-plain", "balls-start", "balls-sure"]


def test_arms_in_the_summary_file_are_finished_and_stay_in_it(
    study: Study, place: Workplace, results: dict[str, ArmResult], tmp_path: Path
) -> None:
    summary = tmp_path / "summary.json"
    summarise([study], place.results.parent, summary)
    before = summary.read_text(encoding="utf-8")
    clone = Workplace(tmp_path / "no data", tmp_path / "work", tmp_path / "results" / "balls", "cpu", summary)
    assert run_study(study, clone) == []
    assert not (tmp_path / "work").exists()
    summarise([study], tmp_path / "results", summary)
    assert summary.read_text(encoding="utf-8") == before
    other = parse_study(study_document(place.work.parent / "ball.yaml", levels=[0.3]))
    with pytest.raises(InputError, match=r"summary\.json holds a result of other settings"):
        run_study(other, clone)


def test_only_a_summary_file_is_read_as_one(
    place: Workplace, results: dict[str, ArmResult], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = str(written(place.work.parent, study_document(place.work.parent / "ball.yaml")))
    arm = place.results / "plain.json"
    assert sure(["compare", "page", study, "--results", str(arm), "--output", str(tmp_path / "page.md")]) == 2
    assert "plain.json is not a summary file" in capsys.readouterr().err
    nothing = ["compare", "summarise", study, "--results", str(tmp_path), "--output", str(tmp_path / "s.json")]
    assert sure(nothing) == 2
    assert "No arm has a result" in capsys.readouterr().err
    assert not (tmp_path / "s.json").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"main": "nobody"}, "has no arm 'nobody'"),
        ({"levels": [0.5, 1.2]}, "1.2"),
        ({"arms": [{"name": "sure", "members": 3}]}, "estimator 'ensemble'"),
        ({"arms": [{"name": "sure", "of": "sure"}]}, "no arm with one of its own"),
        ({"arms": [{"name": "sure", "colour": "red"}]}, "Unknown key in an arm of the study: colour"),
        ({"arms": [{"name": "sure"}, {"name": "sure"}]}, "names an arm twice"),
        ({"arms": [{"name": "sure", "estimator": "oracle"}]}, "no estimator 'oracle'"),
    ],
)
def test_a_study_that_makes_no_sense_is_explained(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_study(study_document(Path("ball.yaml"), **change))


@pytest.mark.parametrize("name", ["hippocampus", "acdc"])
def test_the_built_in_studies_are_in_order(name: str) -> None:
    from SUREUncertaintyLib.comparison.study import load_study
    from SUREUncertaintyLib.comparison.trainings import trainings_of
    from SUREUncertaintyLib.training.recipe import parse_recipe

    study = load_study(name)
    assert {"softmax", "dropout", "ensemble", "tta", "plain", "noise", "sure"} <= {arm.name for arm in study.compared}
    for arm in study.arms:
        for training in trainings_of(study, arm, arm.folds[0] if arm.folds else None):
            recipe = parse_recipe(dict(training.recipe))
            assert (
                recipe.network.arguments["channels"]
                == parse_recipe(
                    dict(trainings_of(study, study.arm("plain"), 0 if arm.folds else None)[0].recipe)
                ).network.arguments["channels"]
            )
            json.dumps(training.recipe)


def test_the_hippocampus_study_supervises_as_the_recipe_that_ships_does() -> None:
    from SUREUncertaintyLib.comparison.study import load_study
    from SUREUncertaintyLib.comparison.trainings import trainings_of
    from SUREUncertaintyLib.training.recipe import load_recipe, parse_recipe

    study, shipped = load_study("hippocampus"), load_recipe("hippocampus-t1")
    (training,) = trainings_of(study, study.arm("sure"))
    recipe = parse_recipe(dict(training.recipe))
    assert recipe.loss == dataclasses.replace(shipped.loss, continues="")  # the study trains its start itself
    measured = {"validate_every": shipped.optimisation.validate_every}
    assert dataclasses.replace(recipe.optimisation, **measured) == shipped.optimisation
    assert (recipe.augmentation, recipe.data, recipe.seed) == (shipped.augmentation, shipped.data, shipped.seed)
    before = parse_recipe(dict(training.before.recipe))  # type: ignore[union-attr]
    plain = load_recipe("hippocampus-t1-plain")
    assert (before.loss, before.optimisation.steps) == (plain.loss, plain.optimisation.steps)


def test_only_light_packages_are_loaded_with_the_command() -> None:
    import subprocess

    code = "import sys, SUREUncertaintyLib.cli.app; assert not {'torch', 'monai', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
