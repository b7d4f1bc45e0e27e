"""Networks in 2D on volumes of thick slices: folds, training by slice, package, and evaluation by patient."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from balls import flat_recipe, write_balls, written
from SUREUncertaintyLib.comparison.run_study import run_study
from SUREUncertaintyLib.comparison.study import parse_study
from SUREUncertaintyLib.comparison.trainings import Workplace
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.evaluation.cases import single_case
from SUREUncertaintyLib.evaluation.evaluate import evaluate_cases
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.training.folds import held_out_groups
from SUREUncertaintyLib.training.recipe import DataSection, load_recipe, parse_recipe
from SUREUncertaintyLib.training.train import train
from SUREUncertaintyLib.training.training_cases import list_cases, list_held_out, load_cases

HEART = [f"patient{number:03d}" for number in range(1, 101)]
KINDS = ("DCM", "HCM", "MINF", "NOR", "RV")


def heart_rows() -> list[dict[str, str]]:
    """The table of 100 patients, twenty of each of five kinds, two phases each."""
    return [
        {"patient": name, "group": KINDS[number // 20], "phase": phase, "split": "train"}
        for number, name in enumerate(HEART)
        for phase in ("ED", "ES")
    ]


def heart_section(fold: int) -> DataSection:
    return replace(load_recipe("acdc").data, fold=fold)


def test_the_five_folds_are_the_published_ones() -> None:
    folds = [held_out_groups(heart_rows(), heart_section(fold)) for fold in range(5)]
    assert sorted(name for fold in folds for name in fold) == HEART
    rows = np.random.RandomState(1).permutation(20)  # the table of ids, 20 rows of 5 kinds, rows permuted
    for number, fold in enumerate(folds):
        expected = {20 * kind + row + 1 for kind in range(5) for row in rows[4 * number : 4 * number + 4]}
        assert {int(name[-3:]) for name in fold} == expected
    assert {int(name[-3:]) for name in folds[0] if int(name[-3:]) <= 20} == {4, 17, 7, 11}


def test_a_fold_that_does_not_exist_is_named() -> None:
    with pytest.raises(InputError, match="fold 5 of 5"):
        held_out_groups(heart_rows(), heart_section(5))
    with pytest.raises(InputError, match="lacks the column"):
        held_out_groups([{"patient": "a"}], heart_section(0))


def test_files_are_named_by_pattern_and_the_fold_stays_out_of_training(tmp_path: Path) -> None:
    lines = [
        "patient,split,group,phase",
        *(",".join((r["patient"], "train", r["group"], r["phase"])) for r in heart_rows()),
    ]
    (tmp_path / "index.csv").write_text("\n".join(lines), encoding="utf-8")
    section = heart_section(2)
    files, held = list_cases(section, tmp_path), list_held_out(section, tmp_path, "val")
    assert (len(files.training), len(files.tuning), len(held)) == (160, 0, 40)
    assert not {case.group for case in files.training} & {case.group for case in held}
    first = files.training[0]
    assert first.image == tmp_path / "roi" / f"{first.group}_ED.nii.gz"
    assert first.label == tmp_path / "roi" / f"{first.group}_ED_gt.nii.gz"
    assert first.id == f"{first.group}_ED"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_balls(tmp_path_factory.mktemp("slices"), ["train"] * 6, flat=True)


def recipe(name: str, steps: int, **changes: Any) -> dict[str, Any]:
    document = flat_recipe(name, steps, **changes)
    cut = {"folds": 3, "stratum_column": "stratum", "group_column": "group"}
    document["data"] = {**document["data"], **cut}
    document["optimisation"] |= {"batch": 4, "learning_rate": 0.02, "ema": 0.9}
    return document


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A 2D network that has learned the balls of four patients; SURE acts in the second half."""
    folder = tmp_path_factory.mktemp("flat")
    losses = {"name": "sure", "kl_anneal_epochs": 0, "options": {"start": 0.5, "beta": 1.0}}
    package = train(written(folder, recipe("flat", 60, loss=losses)), data, folder / "run", "cpu")
    assert package is not None
    return package


def test_every_slice_of_a_volume_becomes_a_case_normalised_as_a_whole(data: Path) -> None:
    parsed = parse_recipe(recipe("flat", 1))
    files = list_cases(parsed.data, data)
    slices = load_cases(files.training[:1], parsed.input)
    assert [case.image.shape for case in slices] == [(20, 18)] * 4
    assert [case.label.sum() > 0 for case in slices] == [True] * 4
    assert {case.spacing for case in slices} == {(1.0, 1.0)}
    whole = np.stack([case.image for case in slices])
    assert abs(float(whole.mean())) < 1e-5
    assert abs(float(slices[0].image.mean())) > 1e-3


def test_a_network_in_2d_finds_the_balls_of_patients_it_has_not_seen(
    data: Path, trained: Package, tmp_path: Path
) -> None:
    held = list_held_out(parse_recipe(recipe("flat", 1)).data, data, "val")
    assert not {case.id for case in held} & set(trained.metadata.raw["training"]["training_ids"])
    cases = [replace(single_case(case.image, case.label), id=case.id, group=case.group) for case in held]
    summary = evaluate_cases(cases, trained, create_engine(trained, "openvino"), tmp_path / "out").summary
    assert summary["n_failed"] == 0
    assert summary["metrics"]["dice"]["mean"]["mean"] > 0.9
    assert summary["metrics"]["dice"]["mean"]["n"] == len({case.group for case in held})
    assert 0.0 <= summary["metrics"]["ur_star_sigma"]["mean"]["mean"] <= 1.0


def test_slices_are_judged_one_by_one(data: Path, trained: Package) -> None:
    volume = read_volume(data / "i1.nii.gz")
    engine = create_engine(trained, "openvino")
    forwards = segment(volume, trained, engine)
    turned = segment(volume.with_array(np.ascontiguousarray(volume.array[::-1])), trained, engine)
    assert forwards.labels.array.any()
    assert np.array_equal(turned.labels.array, forwards.labels.array[::-1])
    np.testing.assert_allclose(turned.uncertainty.array, forwards.uncertainty.array[::-1], atol=1e-5)


def test_a_study_with_folds_measures_every_patient_once(data: Path, tmp_path: Path) -> None:
    path = written(tmp_path, recipe("flat", 1))
    document = {
        "name": "flat",
        "title": "Flat",
        "recipe": str(path),
        "main": "all",
        "corruptions": ["gaussian"],
        "levels": [0.5],
        "arms": [
            {"name": "start", "hidden": True, "folds": [0]},
            {"name": "one", "start": "start", "folds": [0]},
            {"name": "all", "of": "one", "folds": [0, 1, 2]},
        ],
        "further": [{"name": "twice", "title": "Twice", "data": {"image_pattern": "i{twice}.nii.gz"}}],
    }
    lines = (data / "table.csv").read_text(encoding="utf-8").splitlines()
    named = [f"{line},{number if number % 2 else 'none'}" for number, line in enumerate(lines[1:])]
    (data / "table.csv").write_text("\n".join([f"{lines[0]},twice", *named]), encoding="utf-8")
    place = Workplace(data, tmp_path / "work", tmp_path / "results", "cpu")
    run_study(parse_study(document), place)
    from SUREUncertaintyLib.comparison.arm_result import read_result

    one, everyone = (read_result(tmp_path / "results" / f"{name}.json") for name in ("one", "all"))
    assert len(one.cases) == 2
    assert sorted(everyone.cases) == [f"case{number}" for number in range(6)]
    assert [model["name"] for model in everyone.facts["models"]] == [f"flat-one-fold{fold}" for fold in range(3)]
    assert sorted(everyone.further["twice"]) == ["case1", "case3", "case5"]
    assert everyone.further["twice"]["case3"]["dice"] == everyone.cases["case3"]["dice"]
    for name, case in one.cases.items():
        assert everyone.cases[name] == case
