"""The committed summaries of the studies: recipes by reference are those that ran, and a run goes on from a summary."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from needed_torch import torch  # noqa: F401 - first of all: without it this file is skipped

# isort: split
from difficulty.damaged_sets import SETS, Plan
from difficulty.difficulty_arms import arms, fold_recipe, recipe
from difficulty.difficulty_summary import CODEC as DIFFICULTY
from readers.level_settings import LEVEL_SETTINGS, level_recipe
from readers.reader_arms import ARMS, SETTINGS, arm_recipe, setting_recipe
from readers.reader_profile import start_recipe
from readers.reader_summary import CODEC as READERS
from recorded_results import SUMMARIES, Codec, RecordedResults
from SUREUncertaintyLib.comparison.study import load_study
from SUREUncertaintyLib.comparison.trainings import Training, trainings_of
from SUREUncertaintyLib.files.checksum import document_sha256

STEPS, DIFFICULTY_STEPS, SEEDS = 800, 300, 3


def with_starts(training: Training | None) -> Iterator[Training]:
    while training is not None:
        yield training
        training = training.before


def study_recipes(name: str) -> dict[str, Any]:
    study = load_study(name)
    trainings = [one for arm in study.arms for fold in arm.folds or (None,) for one in trainings_of(study, arm, fold)]
    return {one.name: one.recipe for training in trainings for one in with_starts(training)}


def reader_recipes() -> dict[str, Any]:
    trained = [arm for arm in ARMS if not ARMS[arm].members]
    made = [arm_recipe(arm, seed, STEPS) for arm in trained for seed in range(ARMS[arm].seeds)]
    made += [setting_recipe(setting, seed, STEPS) for setting in SETTINGS for seed in range(SEEDS)]
    made += [level_recipe(setting, seed, STEPS) for setting in LEVEL_SETTINGS for seed in range(SEEDS)]
    made += [start_recipe(seed) for seed in range(max(arm.seeds for arm in ARMS.values()))]
    return {str(document["name"]): document for document in made}


def difficulty_recipes() -> dict[str, Any]:
    nowhere = Path()
    plan = Plan(nowhere, nowhere, RecordedResults(DIFFICULTY), DIFFICULTY_STEPS, SEEDS, 1)
    made = [recipe(plan, arm, f"{name}.csv", **changes) for name, arm, changes in arms(plan, tuple(SETS))]
    made += [fold_recipe(plan, f"{name}-fold{n}", n) for name in SETS for n in range(2)]
    return {str(document["name"]): document for document in made}


def recorded(name: str) -> dict[str, str]:
    recipes: dict[str, str] = json.loads((SUMMARIES / f"{name}.json").read_text(encoding="utf-8"))["recipes"]
    return recipes


@pytest.mark.parametrize(
    ("summary", "recipes", "count"),
    [
        ("comparison", lambda: study_recipes("hippocampus") | study_recipes("acdc"), 28),
        ("settings", lambda: study_recipes("hippocampus-settings"), 11),
        ("readers", reader_recipes, 70),
        ("difficulty", difficulty_recipes, 60),
    ],
)
def test_every_recorded_recipe_is_made_again_from_its_name(summary: str, recipes: Any, count: int) -> None:
    """A base recipe or a study that changes belongs with new results, or under a new name."""
    made = {name: document_sha256(document) for name, document in recipes().items()}
    found = recorded(summary)
    assert len(found) == count
    assert {name for name in found if made.get(name) != found[name]} == set()


def copied(codec: Codec, tmp_path: Path) -> Codec:
    summary = tmp_path / codec.summary.name
    summary.write_bytes(codec.summary.read_bytes())
    return Codec(summary, codec.pack, codec.unpack)


@pytest.mark.parametrize("codec", [READERS, DIFFICULTY])
def test_a_summary_that_is_read_and_written_again_is_the_same_file(codec: Codec, tmp_path: Path) -> None:
    copy = copied(codec, tmp_path)
    RecordedResults(copy, tmp_path / "results").summarise()
    assert copy.summary.read_bytes() == codec.summary.read_bytes()


def test_a_result_of_this_run_comes_before_that_of_the_summary_and_into_it(tmp_path: Path) -> None:
    codec = copied(READERS, tmp_path)
    results = RecordedResults(codec, tmp_path / "results")
    assert "softmax-0" in results
    assert "softmax-9" not in results
    fresh = results.get("softmax-0") | {"steps": 7, "slices": 1}
    results.save("softmax-0", fresh)
    results.save_recipe({"name": "softmax-0", "seed": 3})
    assert results.get("softmax-0") == fresh
    results.summarise()
    again = RecordedResults(codec)
    assert again.get("softmax-0")["steps"] == 7
    assert again.get("softmax-1") == results.get("softmax-1")
    recipes = json.loads(codec.summary.read_text(encoding="utf-8"))["recipes"]
    assert recipes == recorded("readers") | {"softmax-0": document_sha256({"name": "softmax-0", "seed": 3})}


def test_scales_keep_the_order_of_their_scans_and_their_subjects() -> None:
    found = RecordedResults(DIFFICULTY).get("score-images-hippocampus-t1")
    assert len(found["scales"]) == len(found["groups"]) == 150
    assert list(found["scales"]) == list(found["groups"])
    assert found["scales"]["7"] == 0.29234737
    assert found["groups"]["8"] == "4"
    assert found["damaged"] == 30
