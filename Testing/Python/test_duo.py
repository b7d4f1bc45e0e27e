"""DUO: weights from the network's own maps, on every loss; and training cases that a difficulty table leaves out."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from needed_torch import torch
from SUREUncertaintyLib.analysis.perception_scale import perception_scale as scale_of_array
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.difficulty.case_scale import CaseScale
from SUREUncertaintyLib.difficulty.table import SCHEMA, DifficultyTable, write_table
from SUREUncertaintyLib.nn.duo_weighting import DuoWeighting, duo_weights, perception_scale
from SUREUncertaintyLib.nn.evidential import EvidentialLoss, to_one_hot
from SUREUncertaintyLib.nn.hierarchical.sample_fit import soft_dice_loss, weighted_cross_entropy
from SUREUncertaintyLib.nn.label_denoising import NoiseHead, NoiseTable, denoised, denoising_loss
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.training.case_filter import filter_training
from SUREUncertaintyLib.training.description import HEAD_OF_LOSS
from SUREUncertaintyLib.training.objectives import Batch, LearningObjective, create_objective, dice_cross_entropy
from SUREUncertaintyLib.training.recipe import FilterSection, Recipe, parse_recipe
from SUREUncertaintyLib.training.training_cases import CaseFile, CaseFiles


def logits(seed: int = 0, batch: int = 2, classes: int = 3) -> torch.Tensor:
    return torch.randn(batch, classes, 6, 7, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("shape", [(2, 3, 6, 7, 8), (1, 2, 9, 5), (2, 2, 40, 2, 3)])
def test_the_scale_of_tensors_is_that_of_arrays(shape: tuple[int, ...], power: int) -> None:
    maps = torch.randn(shape, generator=torch.Generator().manual_seed(1)) + 2.0
    found = perception_scale(maps, power)
    for b in range(shape[0]):
        for c in range(shape[1]):
            expected = scale_of_array(maps[b, c].numpy(), power).value
            assert float(found[b, c]) == pytest.approx(expected, abs=1e-6)


def test_the_scale_takes_the_axis_that_it_is_told() -> None:
    maps = logits()
    expected = scale_of_array(np.moveaxis(maps[1, 2].numpy(), 2, 0)).value
    assert float(perception_scale(maps, axis=2)[1, 2]) == pytest.approx(expected, abs=1e-6)


def test_zero_infinite_and_one_row_maps_have_no_scale() -> None:
    maps = logits()
    maps[0, 0], maps[0, 1, 2, 3, 4] = 0.0, math.inf
    assert perception_scale(maps).isnan().tolist() == [[True, True, False], [False, False, False]]
    assert bool(perception_scale(maps[:, :, :1]).isnan().all())


def test_weights_follow_the_formula_and_their_mean_can_be_1() -> None:
    scale = torch.tensor([[0.0, 0.5, 1.0, math.nan]], dtype=torch.float64)
    np.testing.assert_allclose(duo_weights(scale, 0.5, False)[0], [1.0, 0.8, 0.6666667, 1.0], atol=1e-6)
    pair = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    assert float(duo_weights(pair, 1.0, False).sum()) == pytest.approx(1.5)
    assert float(duo_weights(pair, 1.0, True).mean()) == pytest.approx(1.0)


@pytest.mark.parametrize("power", [1, 2])
def test_doubling_the_logits_leaves_the_weights_as_they_are(power: int) -> None:
    weighting = DuoWeighting(alpha=1.0, power=power)
    first, second = weighting(logits(), 0.0), weighting(2 * logits(), 0.0)
    assert first is not None
    assert second is not None
    torch.testing.assert_close(first, second, atol=1e-6, rtol=0)
    assert first[:, 0].tolist() == [1.0, 1.0]
    assert {"duo_scale_1", "duo_weight_2"} <= set(weighting.last)


def test_before_the_warm_up_ends_there_are_no_weights() -> None:
    weighting = DuoWeighting(first_epoch=3.0)
    assert weighting(logits(), 2.9) is None
    assert weighting(logits(), 3.0) is not None


def test_with_many_classes_a_part_is_weighted_and_the_same_part_at_the_same_epoch() -> None:
    weighting = DuoWeighting(alpha=5.0, normalise_mean=False, most_classes=4)
    many = logits(classes=11)
    first = weighting(many, 1.25)
    assert first is not None
    assert int((first[0, 1:] != 1.0).sum()) == 4
    torch.testing.assert_close(weighting(many, 1.25), first)
    assert not torch.equal(weighting(many, 2.5), first)  # type: ignore[arg-type]


def loss_and_gradient(loss: EvidentialLoss, scores: torch.Tensor, label: torch.Tensor) -> tuple[float, torch.Tensor]:
    leaf = scores.clone().requires_grad_()
    value = loss(leaf, to_one_hot(label, 3), 5.0)
    value.backward()
    assert leaf.grad is not None
    return float(value.detach()), leaf.grad


@pytest.mark.parametrize("criterion", ["edl_a", "edl"])
def test_alpha_0_is_the_plain_evidential_loss_to_the_last_bit(criterion: str) -> None:
    label = torch.randint(0, 3, (2, 6, 7, 8), generator=torch.Generator().manual_seed(2))
    plain, gradient = loss_and_gradient(EvidentialLoss(criterion), logits(), label)
    weighted, same = loss_and_gradient(EvidentialLoss(criterion, weighting=DuoWeighting(alpha=0.0)), logits(), label)
    assert plain == weighted
    assert torch.equal(gradient, same)


def test_the_gradient_is_the_weights_times_that_of_the_class_terms() -> None:
    label = torch.randint(0, 3, (1, 6, 7, 8), generator=torch.Generator().manual_seed(3))
    weighting = DuoWeighting(alpha=2.0, normalise_mean=False)
    scores = logits(4, batch=1).requires_grad_()
    weights = weighting(scores, 0.0)
    assert weights is not None
    assert not weights.requires_grad
    (found,) = torch.autograd.grad(weighted_cross_entropy(scores, label, weights), scores)
    expected = torch.zeros_like(scores)
    for c in range(3):
        terms = -scores.log_softmax(1)[:, c] * (label == c)
        expected += float(weights[0, c]) * torch.autograd.grad(terms.sum() / label.numel(), scores)[0]
    torch.testing.assert_close(found, expected)


def test_kl_stays_unweighted() -> None:
    label = torch.randint(0, 3, (2, 6, 7, 8), generator=torch.Generator().manual_seed(5))
    target = to_one_hot(label, 3)
    plain = EvidentialLoss().parts(logits(), target, 10.0)
    weighted = EvidentialLoss(weighting=DuoWeighting(alpha=5.0, normalise_mean=False)).parts(logits(), target, 10.0)
    assert float(plain["kl"]) == float(weighted["kl"])
    assert float(weighted["ace"]) < float(plain["ace"])
    assert float(weighted["region"]) < float(plain["region"])


def test_unit_weights_give_the_plain_losses_and_monai_agrees() -> None:
    from monai.losses import DiceCELoss

    label = torch.randint(0, 3, (2, 6, 7, 8), generator=torch.Generator().manual_seed(6))
    ones, scores = torch.ones(2, 3), logits()
    oracle = DiceCELoss(softmax=True, to_onehot_y=True, batch=True)(scores, label[:, None])
    torch.testing.assert_close(dice_cross_entropy(scores, label), oracle)
    torch.testing.assert_close(dice_cross_entropy(scores, label, ones), oracle)
    probability, target = scores.softmax(1), to_one_hot(label, 3)
    torch.testing.assert_close(soft_dice_loss(probability, target, ones), soft_dice_loss(probability, target))


def recipe(base: str, **options: Any) -> Recipe:
    network = {"spatial_dims": 3, "in_channels": 1, "out_channels": 3, "channels": [4, 8]}
    name = "unet"
    if base == "hierarchical":
        name, network = "latent_unet", {**network, "latent_dim": 1, "latent_mode": "gaussian"}
        network |= {"posterior": "separate", "posterior_input": "image+label"}
    return parse_recipe(
        {
            "name": "x",
            "seed": 1,
            "data": {"table": "t.csv"},
            "network": {"name": name, "arguments": network},
            "input": {"orientation": "RAS", "spacing": None, "normalisation": {"kind": "zscore"}, "patch": [8, 16, 16]},
            "loss": {"name": "duo", "options": {"base": base, "warmup": 0.0, **options}},
            "optimisation": {"steps": 4, "mixed_precision": False},
        }
    )


@pytest.mark.parametrize("base", ["evidential", "softmax", "sure", "hierarchical"])
def test_every_loss_can_be_weighted_and_the_weights_are_logged(base: str) -> None:
    made = recipe(base, alpha=1.0)
    torch.manual_seed(0)
    network = create_network(made.network.name, made.network.arguments)
    image = torch.randn(2, 1, 8, 16, 16, generator=torch.Generator().manual_seed(7))
    batch = Batch(image, (image[:, 0] > 0).long() + (image[:, 0] > 1).long(), (1.0, 1.0, 1.0), (1, 2))
    values = create_objective(made, 3, 10.0).backward(network, batch, 1.0)
    assert math.isfinite(values["loss"])
    assert {"duo_scale_1", "duo_scale_2", "duo_weight_1", "duo_weight_2"} <= set(values)
    assert any(p.grad is not None and bool((p.grad != 0).any()) for p in network.parameters())
    assert made.loss.base == base
    assert HEAD_OF_LOSS.get(made.loss.base, "evidential") == {"evidential": "evidential", "sure": "evidential"}.get(
        base, "softmax"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alhpa": 1}, "alhpa"),
        ({"activation": "tanh"}, "activation"),
        ({"alpha": -1}, "alpha"),
        ({"base": "duo"}, "duo"),
    ],
)
def test_wrong_options_are_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        create_objective(recipe(**{"base": "evidential", **options}), 3, 10.0)


def write_difficulty(folder: Path, status: str, count: int = 20) -> None:
    header = {"schema": SCHEMA, "fingerprint": {"name": "x", "digest": "x"}, "power": 2, "center": "none"}
    gate = {"status": status} if status else None
    scans = tuple(CaseScale(str(n), "?", scales={"core": 0.1 + n / 100}) for n in range(count))
    write_table(DifficultyTable(scans, {**header, "gate": gate}), folder)


def case_files(count: int = 20) -> CaseFiles:
    cases = tuple(CaseFile(str(n), f"p{n}", Path(f"{n}.nii"), Path(f"{n}.nii")) for n in range(count))
    return CaseFiles(training=cases, tuning=(CaseFile("99", "p99", Path("99.nii"), Path("99.nii")),))


def test_the_hardest_patients_are_left_out_of_the_training(tmp_path: Path) -> None:
    write_difficulty(tmp_path, "valid")
    kept = filter_training(case_files(), FilterSection(table="auv.csv", keep=0.9), tmp_path)
    assert [case.id for case in kept.training] == [str(n) for n in range(2, 20)]
    assert len(kept.tuning) == 1
    assert filter_training(case_files(), FilterSection(), tmp_path) == case_files()


def test_the_threshold_is_taken_over_the_training_cases_alone(tmp_path: Path) -> None:
    write_difficulty(tmp_path, "valid", 40)
    files = CaseFiles(case_files(40).training[20:], ())
    kept = filter_training(files, FilterSection(table="auv.csv", keep=0.9), tmp_path)
    assert [case.id for case in kept.training] == [str(n) for n in range(22, 40)]


def test_the_control_drops_as_many_at_random(tmp_path: Path) -> None:
    write_difficulty(tmp_path, "valid")
    kept = filter_training(case_files(), FilterSection(table="auv.csv", keep=0.9, random_seed=3), tmp_path)
    assert len(kept.training) == 18
    assert [case.id for case in kept.training] != [str(n) for n in range(2, 20)]


@pytest.mark.parametrize("status", ["inverted", "uninformative", ""])
def test_a_table_whose_extractor_is_not_valid_is_refused_unless_allowed(tmp_path: Path, status: str) -> None:
    write_difficulty(tmp_path, status)
    with pytest.raises(InputError, match=status or "not tested"):
        filter_training(case_files(), FilterSection(table="auv.csv"), tmp_path)
    allowed = filter_training(case_files(), FilterSection(table="auv.csv", allow_unproven=True), tmp_path)
    assert len(allowed.training) == 19


def test_a_table_of_other_cases_is_refused(tmp_path: Path) -> None:
    write_difficulty(tmp_path, "valid")
    files = CaseFiles(training=(CaseFile("hippocampus_001", "p", Path("a"), Path("b")),), tuning=())
    with pytest.raises(InputError, match="none of the training cases"):
        filter_training(files, FilterSection(table="auv.csv"), tmp_path)


def test_denoising_off_leaves_labels_and_bounded_keeps_them_in_0_to_1() -> None:
    target = to_one_hot(torch.randint(0, 3, (2, 4, 4, 4), generator=torch.Generator().manual_seed(8)), 3)
    noise, table = 5 * logits(9)[:, :, :4, :4, :4], torch.tensor([[3.0, -2.0, 0.5], [-4.0, 1.0, 2.0]])
    assert denoised(target, noise, table) is target
    for mode in ("bounded", "paper_clipped"):
        moved = denoised(target, noise, table, mode)  # type: ignore[arg-type]
        assert 0.0 <= float(moved.min()) <= float(moved.max()) <= 1.0
        assert not torch.equal(moved, target)
    with pytest.raises(ValueError, match="rho"):
        denoised(target, noise, table, "bounded", 0.5)


def test_the_readme_form_halves_the_foreground_at_the_start_and_never_trains_its_head() -> None:
    head = NoiseHead(3, 1, 3)
    target = to_one_hot(torch.ones(1, 4, 4, 4, dtype=torch.long), 3)
    moved = denoised(target, head(torch.randn(1, 1, 4, 4, 4)), torch.zeros(1, 3), "readme")
    assert torch.equal(moved[:, 1], torch.full((1, 4, 4, 4), 0.5))
    assert not moved.requires_grad
    bounded = denoised(target, head(torch.randn(1, 1, 4, 4, 4)), torch.ones(1, 3), "bounded")
    denoising_loss(torch.rand(1, 3, 4, 4, 4), target, bounded).backward()
    assert head.last.bias.grad is not None
    assert bool((head.last.bias.grad != 0).any())


def test_the_table_has_mean_0_and_variance_1_a_class_also_after_a_step() -> None:
    table = NoiseTable(7, 3)
    optimizer = torch.optim.SGD(table.parameters(), lr=10.0)
    for _ in range(2):
        e = table.standardised()
        torch.testing.assert_close(e.mean(0), torch.zeros(3), atol=1e-6, rtol=0)
        torch.testing.assert_close(e.square().mean(0), torch.ones(3), atol=1e-5, rtol=0)
        (table(torch.tensor([0, 3])) * torch.tensor([[1.0, 2.0, -1.0]])).sum().backward()
        optimizer.step()


def denoising_run(steps: list[int], learnt: dict[str, torch.Tensor] | None = None) -> tuple[Any, dict[str, float]]:
    made = recipe("evidential", denoising={"mode": "bounded", "learning_rate": 0.1})
    objective = create_objective(made, 3, 10.0)
    assert isinstance(objective, LearningObjective)
    if learnt:
        objective.load_state(learnt)
    torch.manual_seed(0)
    network = create_network(made.network.name, made.network.arguments)
    values: dict[str, float] = {}
    for step in steps:
        image = torch.randn(2, 1, 8, 16, 16, generator=torch.Generator().manual_seed(step))
        batch = Batch(image, (image[:, 0] > 0).long(), (1.0, 1.0, 1.0), (1, step), (step % 5, (step + 1) % 5), 5)
        values = objective.backward(network, batch, 1.0)
    return objective, values


def test_bounded_denoising_moves_labels_a_little_and_a_resumed_run_repeats_it() -> None:
    whole, values = denoising_run([0, 1, 2])
    assert 0.0 < values["label_change"] < 0.2
    first, _ = denoising_run([0, 1])
    resumed, same = denoising_run([2], first.state())
    assert same == pytest.approx(values)
    for name, tensor in whole.state().items():
        torch.testing.assert_close(resumed.state()[name], tensor)


@pytest.mark.parametrize(
    ("base", "denoising", "words"),
    [
        ("evidential", {"mode": "magic"}, "denoising must be one of"),
        ("evidential", {"rho": 0.9}, "rho from 0 to 0.2"),
        ("evidential", {"strength": 1}, "strength"),
        ("softmax", {"mode": "bounded"}, "'evidential' only"),
    ],
)
def test_wrong_denoising_is_refused(base: str, denoising: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        create_objective(recipe(base, denoising=denoising), 3, 10.0)
