"""Training with latents: a random reader a step, collapse told, the released form collapses and ours does not."""

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from needed_torch import torch
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.evaluation.evaluate_raters import evaluate_raters
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.nn.hierarchical.collapse_probe import (
    NO_INFORMATION,
    LevelProbe,
    collapse_warnings,
    probe_levels,
)
from SUREUncertaintyLib.nn.hierarchical.elbo_settings import ElboSettings
from SUREUncertaintyLib.nn.hierarchical.latent_unet import LatentUNet
from SUREUncertaintyLib.nn.hierarchical.presets import preset
from SUREUncertaintyLib.packages.weights import load_network
from SUREUncertaintyLib.training.calibration import TuningSizes, size_stretch
from SUREUncertaintyLib.training.hierarchical_objective import elbo_settings, hierarchical_objective
from SUREUncertaintyLib.training.latent_description import describe_latents
from SUREUncertaintyLib.training.objectives import Batch
from SUREUncertaintyLib.training.recipe import load_recipe, parse_recipe
from SUREUncertaintyLib.training.start_weights import Start
from SUREUncertaintyLib.training.train import deployable, train
from SUREUncertaintyLib.training.training_cases import list_cases, load_cases
from SUREUncertaintyLib.training.training_log import TrainingLog

SIDE = 16
ARGUMENTS = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 6, 8]}
Pictures = tuple[torch.Tensor, torch.Tensor]


def disks(count: int, generator: np.random.Generator, side: int = 48) -> Pictures:
    """Disks, half of them with soft edges whose outline is drawn up to 2 pixels too wide or too narrow."""
    grid = np.indices((side, side))
    images, labels = [], []
    for _ in range(count):
        centre, radius = generator.uniform(side / 3, 2 * side / 3, 2), generator.uniform(side / 7, side / 4)
        distance = np.hypot(grid[0] - centre[0], grid[1] - centre[1]) - radius
        is_soft = generator.random() < 0.5
        edge = 1.0 / (1.0 + np.exp(distance / (2.0 if is_soft else 0.3)))
        images.append(edge + generator.normal(0.0, 0.05, distance.shape))
        labels.append(distance < (generator.uniform(-2.0, 2.0) if is_soft else 0.0))
    return torch.tensor(np.stack(images)[:, None], dtype=torch.float32), torch.tensor(np.stack(labels)).long()


def trained_on_disks(form: str, steps: int) -> tuple[LevelProbe, ...]:
    torch.manual_seed(0)
    chosen = preset(form)
    network = LatentUNet(2, 1, 2, channels=(8, 12, 16), **chosen.network)
    settings = ElboSettings(**chosen.elbo)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    generator, draws = np.random.default_rng(0), torch.Generator().manual_seed(0)
    for step in range(steps):
        terms = network.elbo(*disks(8, generator), settings, step / 10, draws)
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()
    return probe_levels(network.eval(), [disks(32, np.random.default_rng(1))])


@pytest.mark.slow
def test_the_released_form_collapses_and_says_so() -> None:
    probes = trained_on_disks("faithful_code", 70)
    assert max(probe.kl for probe in probes) < 1e-4
    assert collapse_warnings(probes) == (NO_INFORMATION,)


@pytest.mark.slow
def test_the_principled_form_keeps_information_in_its_latents() -> None:
    probes = trained_on_disks("principled", 170)
    assert sum(probe.kl for probe in probes) > 1e-2
    assert NO_INFORMATION not in collapse_warnings(probes)


def document(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": "readers",
        "seed": 3,
        "data": {
            "table": "slices.csv",
            "arrays": "slices.npz",
            "id_column": "row",
            "group_column": "patient",
            "tuning_groups": ["P3"],
        },
        "network": {"name": "latent_unet", "arguments": ARGUMENTS},
        "input": {
            "orientation": "LPS",
            "spacing": None,
            "normalisation": {"kind": "minmax", "per_slice": True},
            "patch": [SIDE, SIDE],
        },
        "loss": {"name": "hierarchical", "options": {"preset": "principled", "kl_level_weights": "elbo"}},
        "optimisation": {"steps": 3, "batch": 2, "warmup_steps": 1, "mixed_precision": False},
        "package": {"modality": "CT", "licence": "CC BY 3.0"},
    }
    return {**base, **changes}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight slices of four patients; readers' disks differ by a pixel."""
    data = tmp_path / "data"
    data.mkdir()
    grid = np.indices((SIDE, SIDE)) - 7.5
    masks = [(np.hypot(*grid) < radius).astype(np.uint8) for radius in (3, 4, 5, 6)]
    bits = sum(mask << bit for bit, mask in enumerate(masks))
    noise = np.random.default_rng(0).normal(0, 10, (8, SIDE, SIDE))
    images = np.clip(40 + 150 * masks[1] + noise, 0, 255).astype(np.uint8)
    np.savez(data / "slices.npz", images=images, rater_bits=np.stack([bits] * 8))
    rows = [f"{row},P{row // 2},n0,{row % 2},train" for row in range(8)]
    (data / "slices.csv").write_text("\n".join(["row,patient,nodule,slice,split", *rows]))
    return data


def written(tmp_path: Path, content: dict[str, Any]) -> Path:
    import yaml

    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("network", ["latent_unet", "residual_latent_unet"])
def test_from_readers_to_a_package_that_samples(network: str, folder: Path, tmp_path: Path) -> None:
    content = document(network={"name": network, "arguments": ARGUMENTS})
    content["package"] |= {"sample_temperature": 1.5}
    content["loss"]["options"]["preset"] = {"latent_unet": "principled"}.get(network, "adding_levels")
    package = train(written(tmp_path, content), folder, tmp_path / "run", "cpu")
    assert package is not None
    uncertainty = package.metadata.raw["uncertainty"]
    assert uncertainty["primary"] == "mutual_information"
    assert [row["level"] for row in uncertainty["probe"]] == [0, 1]
    assert package.metadata.network_arguments["posterior"] == "none"
    assert package.metadata.expected.spacing_mm is None
    assert package.metadata.size_stretch == uncertainty["size_stretch"] >= 0.1
    assert f"{uncertainty['size_stretch']:g} times as far" in (package.root / "docs" / "README.md").read_text("utf-8")
    assert package.metadata.sample_temperature == 1.5
    assert package.metadata.raw["training"]["tuning_ids"] == ["6", "7"]
    engine = create_engine(package, "openvino", "cpu")
    summary = evaluate_raters(folder, package, engine, tmp_path / "scores", samples=3)
    assert summary["n_groups"] == 4
    with (tmp_path / "run" / "log.csv").open() as stream:
        *_, last = csv.DictReader(stream)
    assert {"kl_0", "kl_1", "beta", "tuning_kl_0", "std_spread_1", "tuning_dice"} <= set(last)
    assert float(last["kl_0"]) > 0.0


def test_latents_go_on_from_a_package_without_them_and_another_network_is_refused(folder: Path, tmp_path: Path) -> None:
    content = document()
    plain = {**content, "network": {**content["network"], "arguments": {**ARGUMENTS, "latent_mode": "off"}}}
    before = train(written(tmp_path, plain), folder, tmp_path / "plain", "cpu")
    assert before is not None
    recipe = parse_recipe(content)
    first, again = (Start(before).weights(recipe) for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    shipped = load_network(before).state_dict()
    assert all(torch.equal(first[name], shipped[name]) for name in shipped)
    assert {name.split(".")[0] for name in set(first) - set(shipped)} == {"heads", "posterior_encoder"}
    assert train(written(tmp_path, content), folder, tmp_path / "run", "cpu", start=before.root) is not None
    content["network"]["arguments"]["channels"] = [4, 6, 10]
    with pytest.raises(PackageError, match="do not fit"):
        Start(before).weights(parse_recipe(content))


def test_levels_that_add_up_go_on_from_a_u_net_as_their_backbone(folder: Path, tmp_path: Path) -> None:
    plain = document(network={"name": "latent_unet", "arguments": {**ARGUMENTS, "latent_mode": "off"}})
    before = train(written(tmp_path, plain), folder, tmp_path / "plain", "cpu")
    assert before is not None
    content = document(network={"name": "residual_latent_unet", "arguments": ARGUMENTS})
    first, shipped = Start(before).weights(parse_recipe(content)), load_network(before).state_dict()
    assert all(torch.equal(first[f"backbone.{name}"], shipped[name]) for name in shipped)
    after = train(written(tmp_path, content), folder, tmp_path / "run", "cpu", start=before.root)
    assert after is not None
    again = Start(after).weights(parse_recipe(content))
    assert all(torch.equal(again[name], tensor) for name, tensor in load_network(after).state_dict().items())


def test_dead_latents_stand_as_a_warning_in_log_and_package(folder: Path, tmp_path: Path) -> None:
    recipe = parse_recipe(document())
    network = LatentUNet(**ARGUMENTS).eval()  # type: ignore[arg-type]
    for name, parameter in network.named_parameters():
        if "heads" in name:
            torch.nn.init.zeros_(parameter)
    tuning = load_cases(list_cases(recipe.data, folder).tuning, recipe.input)
    measured = hierarchical_objective(recipe, 2, 1.0).measure(network, tuning, (SIDE, SIDE))
    assert measured["warning"] == NO_INFORMATION
    assert (measured["tuning_kl_0"], measured["std_0"]) == (0.0, 1.0)
    TrainingLog(tmp_path / "log.csv", 0).add(1, measured)
    assert NO_INFORMATION in (tmp_path / "log.csv").read_text(encoding="utf-8")
    assert describe_latents(recipe, network, tuning)["warnings"] == [NO_INFORMATION]


def test_the_stretch_is_the_smallest_that_holds_nine_tenths_of_the_readers_with_equal_weight_for_groups() -> None:
    samples = np.arange(101.0)  # median 50, middle 90 % from 5 to 95
    readers = np.array([50.0, 95.0, 140.0, 5.0])  # they need 0, 1, 2 and 1
    assert size_stretch([TuningSizes("a", samples, readers)]) == 2.0
    held = [TuningSizes("b", samples, np.array([50.0])) for _ in range(9)]
    assert size_stretch([TuningSizes("a", samples, np.array([140.0])), *held]) == 2.0
    many = [TuningSizes(str(n), samples, np.array([50.0])) for n in range(9)]
    assert size_stretch([TuningSizes("a", samples, np.array([140.0])), *many]) == 0.1
    assert (
        size_stretch([TuningSizes("a", np.full(100, 7.0), np.array([9.0])), TuningSizes("b", samples, readers)]) == 2.0
    )


def test_the_same_batch_and_seed_give_the_same_gradient_and_another_seed_another() -> None:
    recipe = parse_recipe(document())
    objective = hierarchical_objective(recipe, 2, 1.0)
    image, label = disks(2, np.random.default_rng(0), SIDE)

    def gradient(seed: int) -> torch.Tensor:
        torch.manual_seed(0)
        network = LatentUNet(**ARGUMENTS)  # type: ignore[arg-type]
        objective.backward(network, Batch(image, label, (1.0, 1.0), (seed,)), 5.0)
        found = network.posterior_encoder.heads[0].project.weight.grad
        assert found is not None
        return found

    assert torch.equal(gradient(1), gradient(1))
    assert not torch.equal(gradient(1), gradient(2))


def test_what_ships_answers_as_the_trained_network_without_its_posterior() -> None:
    torch.manual_seed(0)
    network = LatentUNet(**ARGUMENTS).eval()  # type: ignore[arg-type]
    shipped, description = deployable(network, {"name": "latent_unet", "arguments": ARGUMENTS})
    image, _ = disks(1, np.random.default_rng(0), SIDE)
    assert torch.equal(network.sample(image, 2), shipped.sample(image, 2))  # type: ignore[operator]
    assert not [name for name in shipped.state_dict() if "posterior" in name]
    assert description["arguments"]["posterior"] == "none"
    assert deployable(shipped, description)[0] is shipped


def test_loss_options_come_from_a_preset_and_wrong_ones_are_named() -> None:
    settings = elbo_settings({"preset": "faithful_code", "kl_weight": 0.01, "kl_level_weights": [1, 2]})
    assert (settings.reparam, settings.kl_direction, settings.kl_weight) == (False, "pq", 0.01)
    assert settings.kl_level_weights == (1, 2)
    recipe = parse_recipe(document())
    wrong = dataclasses.replace(recipe, loss=dataclasses.replace(recipe.loss, options={"kl": 1}))
    with pytest.raises(InputError, match=r"loss options are wrong.*kl"):
        hierarchical_objective(wrong, 2, 1.0)
    batch = Batch(torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4).long(), (1.0, 1.0), (0,))
    objective = hierarchical_objective(recipe, 2, 1.0)
    with pytest.raises(InputError, match="trains the network 'latent_unet'"):
        objective.backward(torch.nn.Conv2d(1, 2, 1), batch, 0.0)


@pytest.mark.data
def test_the_shipped_recipe_reads_the_real_slices_and_keeps_tuning_patients_apart(data_root: Path) -> None:
    files = list_cases(load_recipe("lung-nodule-ct").data, data_root)
    assert (len(files.training), len(files.tuning)) == (3967, 523)
    assert not {case.group for case in files.training} & {case.group for case in files.tuning}
    assert len({case.group for case in files.tuning}) == 40
