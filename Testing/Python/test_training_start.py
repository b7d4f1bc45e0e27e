"""A training that starts from another package: its weights, and the memory of which cases they have seen."""

import json
from pathlib import Path

import pytest
from balls import ball_recipe, write_balls, written
from needed_torch import torch
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.packages.package import load_package
from SUREUncertaintyLib.packages.weights import load_network
from SUREUncertaintyLib.training.learning_loop import learning_rate
from SUREUncertaintyLib.training.recipe import parse_recipe
from SUREUncertaintyLib.training.train import train


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four balls of four subjects."""
    return write_balls(tmp_path_factory.mktemp("balls"), ["train"] * 4)


@pytest.fixture(scope="module")
def first(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package trained on cases 1 to 3, tuned on case 0."""
    folder = tmp_path_factory.mktemp("first")
    package = train(written(folder, ball_recipe("first", 2, ["s0"])), data, folder / "run", "cpu")
    assert package is not None
    return package.root


def test_a_continuation_begins_with_the_weights_it_was_given(data: Path, first: Path, tmp_path: Path) -> None:
    still = ball_recipe("second", 1, ["s0"])
    still["optimisation"]["learning_rate"] = 0.0
    package = train(written(tmp_path, still), data, tmp_path / "run", "cpu", first)
    assert package is not None
    before, after = load_network(load_package(first)), load_network(package)
    for name, tensor in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], tensor)
    record = package.metadata.raw["training"]["start"]
    assert record == {"name": "first", "fingerprint": load_package(first).fingerprint}
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["start"] == record


def test_the_last_layer_of_the_start_may_be_scaled(data: Path, first: Path, tmp_path: Path) -> None:
    softer = ball_recipe("softer", 1, ["s0"], start_scale=0.25, loss={"name": "softmax"})
    softer["optimisation"]["learning_rate"] = 0.0
    package = train(written(tmp_path, softer), data, tmp_path / "run", "cpu", first)
    assert package is not None
    before, after = load_network(load_package(first)).state_dict(), load_network(package).state_dict()
    for name, tensor in before.items():
        expected = tensor * (0.25 if name in ("head.weight", "head.bias") else 1.0)
        torch.testing.assert_close(after[name], expected)


def test_cases_that_the_start_has_seen_stay_on_the_record(data: Path, first: Path, tmp_path: Path) -> None:
    changed = ball_recipe("third", 1, ["s0"], start_from=str(first))
    changed["data"]["train_split"] = "late"
    rows = (
        (data / "table.csv").read_text(encoding="utf-8").replace("s1,train", "s1,late").replace("s0,train", "s0,late")
    )
    (data / "late.csv").write_text(rows, encoding="utf-8")
    changed["data"]["table"] = "late.csv"
    package = train(written(tmp_path, changed), data, tmp_path / "run", "cpu")
    assert package is not None
    training = package.metadata.raw["training"]
    assert sorted(training["training_ids"]) == ["case1", "case2", "case3"]
    assert training["tuning_ids"] == ["case0"]


def test_tuning_cases_that_the_start_was_trained_on_are_refused(data: Path, first: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"trained on cases that this recipe keeps for tuning: case2"):
        train(written(tmp_path, ball_recipe("leak", 1, ["s2"])), data, tmp_path / "run", "cpu", first)
    assert not (tmp_path / "run").exists()


def test_weights_of_another_network_are_refused(data: Path, first: Path, tmp_path: Path) -> None:
    other = ball_recipe("wide", 1, ["s0"])
    other["network"]["arguments"]["channels"] = [8, 16]
    with pytest.raises(PackageError, match="do not fit the network"):
        train(written(tmp_path, other), data, tmp_path / "run", "cpu", first)


def test_a_constant_schedule_keeps_the_rate_after_the_warm_up() -> None:
    content = ball_recipe("flat", 100, [])
    content["optimisation"] |= {"schedule": "constant", "warmup_steps": 4}
    settings = parse_recipe(content).optimisation
    assert [learning_rate(step, settings) for step in (1, 4, 50, 99)] == [0.005, 0.01, 0.01, 0.01]
    content["optimisation"]["schedule"] = "linear"
    with pytest.raises(InputError, match="schedule must be one of cosine, constant"):
        parse_recipe(content)


def test_a_recipe_that_continues_another_is_refused_without_a_start(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        train("hippocampus-t1", tmp_path / "my data", tmp_path / "out", "cpu")
    sentence = str(refused.value)
    assert f"sure train hippocampus-t1-wide --data '{tmp_path}/my data' --output {tmp_path}/out-start" in sentence
    package = f"{tmp_path}/out-start/package/hippocampus-t1-wide"
    assert (
        f"sure train hippocampus-t1 --start {package} --data '{tmp_path}/my data' --output {tmp_path}/out" in sentence
    )
    assert not (tmp_path / "out").exists()


def test_a_recipe_that_continues_another_runs_from_the_start_it_is_given_or_names(data: Path, first: Path) -> None:
    loss = {"name": "evidential", "kl_anneal_epochs": 0, "continues": "first"}
    content = ball_recipe("second", 1, ["s0"], loss=loss)
    assert parse_recipe(content).lacks_start()
    assert not parse_recipe(content).lacks_start(first)
    assert not parse_recipe({**content, "start_from": "first"}).lacks_start()
    package = train(written(first.parent, content), data, first.parent / "continued", "cpu", first)
    assert package is not None
    assert package.metadata.raw["training"]["start"]["name"] == "first"
