"""A training that starts from another package: its weights, and the memory of which cases they have seen."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.core.writing import write_volume
from SUREUncertaintyLib.packages.weights import load_network
from SUREUncertaintyLib.training.recipe import parse_recipe
from SUREUncertaintyLib.training.run import train
from SUREUncertaintyLib.training.trainer import learning_rate

PATCH = [16, 16, 16]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four balls of four subjects with a case table."""
    folder = tmp_path_factory.mktemp("balls")
    grid = Grid(
        shape=(16, 16, 16), spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0), direction=(1, 0, 0, 0, 1, 0, 0, 0, 1)
    )
    rows = ["image,label,id,group,split"]
    for number in range(4):
        distance = np.sqrt(((np.indices(PATCH) - 7.5 - 0.4 * number) ** 2).sum(0))
        label = (distance < 5).astype(np.uint8)
        noise = np.random.default_rng(number).normal(0, 0.1, PATCH)
        write_volume(Volume((label + noise).astype(np.float32), grid), folder / f"i{number}.nii.gz")
        write_volume(Volume(label, grid), folder / f"l{number}.nii.gz")
        rows.append(f"i{number}.nii.gz,l{number}.nii.gz,case{number},s{number},train")
    (folder / "table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def document(name: str, steps: int, tuning: list[str], **changes: Any) -> dict[str, Any]:
    arguments = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [4, 8]}
    return {
        "name": name,
        "seed": 3,
        "data": {"table": "table.csv", "image_column": "image", "label_column": "label", "tuning_groups": tuning},
        "network": {"name": "unet", "arguments": arguments},
        "input": {"orientation": "RAS", "spacing": [1, 1, 1], "normalisation": {"kind": "zscore"}, "patch": PATCH},
        "loss": {"name": "evidential", "kl_anneal_epochs": 0},
        "optimisation": {"steps": steps, "warmup_steps": 1, "learning_rate": 0.01, "mixed_precision": False},
        **changes,
    }


def written(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / f"{content['name']}.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def first(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package trained on cases 1 to 3, tuned on case 0."""
    folder = tmp_path_factory.mktemp("first")
    package = train(written(folder, document("first", 2, ["s0"])), data, folder / "run", "cpu")
    assert package is not None
    return package.root


def test_a_continuation_begins_with_the_weights_it_was_given(data: Path, first: Path, tmp_path: Path) -> None:
    still = document("second", 1, ["s0"])
    still["optimisation"]["learning_rate"] = 0.0
    package = train(written(tmp_path, still), data, tmp_path / "run", "cpu", first)
    assert package is not None
    from SUREUncertaintyLib.packages.package import load_package

    before, after = load_network(load_package(first)), load_network(package)
    for name, tensor in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], tensor)
    record = package.metadata.raw["training"]["start"]
    assert record == {"name": "first", "fingerprint": load_package(first).fingerprint}
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["start"] == record


def test_cases_that_the_start_has_seen_stay_on_the_record(data: Path, first: Path, tmp_path: Path) -> None:
    changed = document("third", 1, ["s0"], start_from=str(first))
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
        train(written(tmp_path, document("leak", 1, ["s2"])), data, tmp_path / "run", "cpu", first)
    assert not (tmp_path / "run").exists()


def test_weights_of_another_network_are_refused(data: Path, first: Path, tmp_path: Path) -> None:
    other = document("wide", 1, ["s0"])
    other["network"]["arguments"]["channels"] = [8, 16]
    with pytest.raises(PackageError, match="do not fit the network"):
        train(written(tmp_path, other), data, tmp_path / "run", "cpu", first)


def test_a_constant_schedule_keeps_the_rate_after_the_warm_up() -> None:
    content = document("flat", 100, [])
    content["optimisation"] |= {"schedule": "constant", "warmup_steps": 4}
    settings = parse_recipe(content).optimisation
    assert [learning_rate(step, settings) for step in (1, 4, 50, 99)] == [0.005, 0.01, 0.01, 0.01]
    content["optimisation"]["schedule"] = "linear"
    with pytest.raises(InputError, match="schedule must be one of cosine, constant"):
        parse_recipe(content)
