"""What latents are compared with: the Probabilistic U-Net, and the recipes of the reader comparison."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from needed_torch import torch
from readers.level_scores import score_levels
from readers.level_settings import CHOSEN_LEVELS, LEVEL_SETTINGS, level_recipe
from readers.network_predictor import NetworkPredictor
from readers.reader_arms import (
    ARMS,
    SETTINGS,
    arm_recipe,
    setting_recipe,
)
from readers.reader_results import over_seeds
from readers.shifted_slices import (
    auroc_difference,
    wins,
)
from readers.study_parts import create_study_network, create_study_objective
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.evaluation.raters import RaterArrays, RaterSlice
from SUREUncertaintyLib.nn.hierarchical.collapse_probe import probe_levels
from SUREUncertaintyLib.nn.hierarchical.elbo_settings import ElboSettings
from SUREUncertaintyLib.nn.hierarchical.probabilistic_unet import ProbabilisticUNet
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.training.augmentation import Augmentation
from SUREUncertaintyLib.training.objectives import create_objective
from SUREUncertaintyLib.training.recipe import AugmentationSection, parse_recipe
from SUREUncertaintyLib.training.train import train
from SUREUncertaintyLib.training.training_cases import TrainingCase

ROOT = Path(__file__).resolve().parents[2]

CHANNELS = (4, 6, 8)


def network(dims: int = 2) -> ProbabilisticUNet:
    torch.manual_seed(0)
    return ProbabilisticUNet(dims, 1, 2, CHANNELS, latent_dim=3).eval()


@pytest.mark.parametrize("dims", [2, 3])
def test_one_encoding_decodes_to_the_full_pass_and_to_many_samples(dims: int) -> None:
    model, image = network(dims), torch.randn(1, 1, *[16] * dims)
    with torch.no_grad():
        features, skips = model.encode(image)
        (prior,) = model.prior(skips)
        assert prior.mean.shape == (1, 3, *[1] * dims)
        torch.testing.assert_close(model.decode(features, skips, [prior.mean]), model(image))
        noise = torch.randn(5, 3, *[1] * dims)
        many = model.decode(features, skips, [prior.draw(noise)])
        assert many.shape == (5, 2, *[16] * dims)
        torch.testing.assert_close(many[2:3], model.decode(features, skips, [prior.draw(noise[2:3])]))


def test_the_loss_reaches_prior_posterior_and_network_and_its_divergence_is_the_mean_over_z() -> None:
    model, image, label = network().train(), torch.randn(2, 1, 16, 16), torch.randint(0, 2, (2, 16, 16))
    settings = ElboSettings(kl_level_weights=(0.5,), kl_weight=1.0, kl_warmup_epochs=0.0)
    terms = model.elbo(image, label, settings)
    terms.loss.backward()  # type: ignore[no-untyped-call]
    assert len(terms.kl_per_level) == 1
    expected = settings.ce_weight * terms.ce + settings.dice_weight * terms.dice + 0.5 * terms.kl_per_level[0]
    torch.testing.assert_close(terms.loss, expected)
    for part in (model.prior_head, model.posterior_head, model.from_latent, model.backbone):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in list(part.parameters())[:1])


def test_the_probe_measures_the_spread_of_a_single_location_over_cases() -> None:
    images = torch.randn(6, 1, 16, 16) * torch.arange(1.0, 7.0)[:, None, None, None]
    (probe,) = probe_levels(network(), [(images, torch.zeros(6, 16, 16, dtype=torch.long))])
    with torch.no_grad():
        (prior,) = network().prior(network().encode(images)[1])
    assert probe.mean_spread == pytest.approx(float(prior.mean.flatten(1).std(0, correction=0).mean()), abs=1e-6)
    assert probe.mean_spread > 0


def test_a_network_for_comparisons_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    import yaml

    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(arm_recipe("probabilistic-unet", 0, 10)), encoding="utf-8")
    with pytest.raises(InputError, match="comparisons only"):
        train(path, tmp_path, tmp_path / "out")


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_is_a_recipe_with_the_same_data_widths_and_budget(arm: str) -> None:
    document, ours = arm_recipe(arm, 0, 40), arm_recipe("hierarchical", 0, 40)
    for section in ("data", "input", "optimisation", "augmentation"):
        assert document[section] == ours[section]
    recipe = parse_recipe(document)
    assert recipe.network.arguments["channels"] == ours["network"]["arguments"]["channels"]
    built: Any = create_study_network(recipe.network.name, recipe.network.arguments)
    assert sum(p.numel() for p in built.parameters()) > 0
    assert create_study_objective([], recipe, 2, 10.0)


def test_settings_change_ours_alone_and_know_their_options() -> None:
    assert len(SETTINGS) >= 5
    for setting in SETTINGS:
        recipe = parse_recipe(setting_recipe(setting, 0, 40))
        assert create_objective(recipe, 2, 10.0)
        assert create_network(recipe.network.name, recipe.network.arguments)


def test_every_setting_of_the_levels_that_add_up_is_a_recipe_and_the_chosen_one_is_its_arm() -> None:
    for setting in LEVEL_SETTINGS:
        recipe = parse_recipe(level_recipe(setting, 0, 40))
        assert create_study_objective([], recipe, 2, 10.0)
        assert create_network(recipe.network.name, recipe.network.arguments)
    chosen, arm = level_recipe(CHOSEN_LEVELS, 1, 40), arm_recipe("adding-levels", 1, 40)
    assert {**chosen, "name": arm["name"]} == arm


@pytest.mark.parametrize("reading", ["latents", "dropout", "single", "ensemble"])
def test_predictors_draw_what_they_should_and_repeat_themselves(reading: str) -> None:
    torch.manual_seed(1)
    arguments: dict[str, Any] = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 6]}
    arguments |= {"dropout": 0.5} if reading == "dropout" else {}
    networks = [create_network("latent_unet", arguments).eval() for _ in range(3 if reading == "ensemble" else 1)]
    predictor = NetworkPredictor(networks, reading, count=4)
    image = np.random.default_rng(0).integers(0, 256, (16, 16)).astype(np.uint8)
    first, again = predictor.predict(image, (7,)), predictor.predict(image, (7,))
    assert len(first.samples) == {"latents": 4, "dropout": 4, "single": 1, "ensemble": 3}[reading]
    assert np.array_equal(first.samples, again.samples)
    np.testing.assert_allclose(first.samples.sum(1), 1.0, atol=1e-5)
    np.testing.assert_allclose(first.probability, first.samples.mean(0), atol=1e-6)
    if reading == "single":
        assert first.uncertainty.max() <= 1.0
        assert np.isnan(predictor.latent_score(image))
    else:
        assert np.abs(first.samples[0] - first.samples[1]).max() > 0
    if reading == "latents":
        assert predictor.latent_score(image) > 0


def test_levels_alone_are_drawn_and_scored_one_by_one() -> None:
    torch.manual_seed(1)
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 6, 8]}
    model = create_network("residual_latent_unet", arguments).eval()
    for parameter in model.level_decoder.blocks[0].parameters():  # type: ignore[union-attr, operator]
        torch.nn.init.zeros_(parameter)  # the finest level changes nothing
    for head in (*model.heads, *model.level_decoder.heads):  # type: ignore[operator, union-attr]
        torch.nn.init.normal_(next(head.parameters()), std=3.0)
    predictor = NetworkPredictor([model], "latents", count=4)
    bits = np.zeros((2, 16, 16), np.uint8)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16)).astype(np.uint8)
    none = replace(predictor, levels=frozenset()).predict(images[0], (7,))
    assert len(none.samples) == 4
    assert np.abs(none.samples - none.samples[0]).max() == 0.0
    entries = [RaterSlice(row, f"P{row}", "n0", 0, "train") for row in range(2)]
    found = score_levels(RaterArrays(images, bits, 4), entries, predictor)
    assert [row["level"] for row in found] == [0, 1]
    assert (found[0]["diversity"], found[0]["difference_scale"]) == (0.0, None)
    assert 0.0 < found[1]["diversity"] < 1.0
    assert found[1]["difference_scale"] >= 1.0
    assert score_levels(RaterArrays(images, bits, 4), entries, NetworkPredictor([model], "single")) == []


def test_seeds_are_averaged_nodule_by_nodule_and_undefined_only_where_all_are() -> None:
    runs = [{"values": {"ncc": [1.0, None, None]}}, {"values": {"ncc": [3.0, 4.0, None]}}]
    np.testing.assert_array_equal(over_seeds(runs, "ncc"), [2.0, 4.0, np.nan])


def test_wins_average_to_an_auroc_of_one_for_a_score_that_rises_and_half_for_one_that_stays() -> None:
    found = {"clean": {"mean": [0.1, 0.2]}, "blur-3": {"mean": [0.3, 0.4]}, "patch": {"mean": [0.1, 0.2]}}
    assert wins(found, "blur-3", "mean").mean() == 1.0
    assert wins(found, "patch", "mean").mean() == 0.5


def test_a_difference_of_aurocs_is_zero_against_itself_and_its_interval_holds_its_mean() -> None:
    generator = np.random.default_rng(0)
    clean = generator.random(20).tolist()
    ours = {"clean": {"mean": clean}, "patch": {"mean": [x + 0.8 for x in clean]}}
    control = {"clean": {"mean": clean}, "patch": {"mean": generator.permutation(clean).tolist()}}
    same = auroc_difference(ours, ours, "patch", "mean")
    assert (same.mean, same.low, same.high) == (0.0, 0.0, 0.0)
    found = auroc_difference(ours, control, "patch", "mean")
    assert found.mean == pytest.approx(wins(ours, "patch", "mean").mean() - 0.5)
    assert 0.0 < found.low < found.mean < found.high


def test_cropping_without_movement_keeps_the_middle_exactly() -> None:
    image = np.random.default_rng(3).random((12, 12)).astype(np.float32)
    case = TrainingCase("a", "a", image, (image > 0.5).astype(np.uint8), (1.0, 1.0))
    for side in (8, 12):
        inner = slice((12 - side) // 2, (12 + side) // 2)
        cropped, label = Augmentation(AugmentationSection(), (side, side))(case, (0,))
        np.testing.assert_array_equal(cropped[0].numpy(), image[inner, inner])
        np.testing.assert_array_equal(label[0].numpy(), case.label[inner, inner])
