"""The losses that supervise uncertainty: reference numbers, the principles they stand for, and exact gradients."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from balls import ball_batch
from needed_torch import torch
from SUREUncertaintyLib.nn.evidential import EvidentialLoss
from SUREUncertaintyLib.nn.losses.geometry import SampleGeometry, batch_geometry
from SUREUncertaintyLib.nn.losses.gradient_uncertainty import choose_pairs, gradient_uncertainty_loss, pair_loss
from SUREUncertaintyLib.nn.losses.noise_patches import noisy_image, patch_shape, place_patches
from SUREUncertaintyLib.nn.losses.noise_uncertainty import (
    Centres,
    distance_loss,
    far_loss,
    level_loss,
    noise_uncertainty_loss,
)
from SUREUncertaintyLib.nn.losses.noisy_passes import frozen_statistics, noisy_inputs
from SUREUncertaintyLib.nn.losses.schedule import ramp
from SUREUncertaintyLib.nn.losses.settings import PRINCIPLED, REFERENCE
from SUREUncertaintyLib.nn.losses.sure_step import SureStep
from SUREUncertaintyLib.nn.unet import UNet

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "Data" / "sure_loss_vectors.json").read_text(encoding="utf-8")
)
NOISE = VECTORS["noise"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def vector_geometries() -> list[SampleGeometry]:
    maps = torch.tensor(NOISE["distance_map"], dtype=torch.float64).squeeze(1)
    return [SampleGeometry(d, torch.zeros_like(d), 1.0, float(NOISE["threshold"])) for d in maps]


def vector_maps() -> list[torch.Tensor]:
    return [torch.tensor(NOISE[name], dtype=torch.float64).squeeze(1) for name in ("u", "u_mu1", "u_mu2")]


@pytest.mark.parametrize("case", NOISE["cases"], ids=lambda c: f"{c['mu1']}-{c['mu2']}")
def test_noise_losses_agree_with_the_reference(case: dict[str, float]) -> None:
    clean, first, second = vector_maps()
    centres = [torch.tensor(c) for c in NOISE["centres_yx"]]
    samples = [
        Centres(u[tuple(c.T)], a[tuple(c.T)], b[tuple(c.T)], g.distance[tuple(c.T)], g.t)
        for u, a, b, c, g in zip(clean, first, second, centres, vector_geometries(), strict=True)
    ]
    assert float(level_loss(samples, case["mu1"], case["mu2"])) == pytest.approx(case["nu_loss_mu"], abs=1e-6)
    assert float(distance_loss(samples)) == pytest.approx(case["nu_loss_d"], abs=1e-5)
    assert float(far_loss([clean, first, second], vector_geometries())) == pytest.approx(case["nu_loss_far"], abs=1e-5)


def test_the_gradient_loss_agrees_with_the_vector_in_both_denominators() -> None:
    vector = VECTORS["gradient_loss"]
    g, u = torch.tensor(vector["g"], dtype=torch.float64), torch.tensor(vector["u"], dtype=torch.float64)
    violating = replace(PRINCIPLED, denominator="violating")
    assert float(pair_loss(g, u, violating, seeded())) == pytest.approx(0.0928745515, abs=1e-9)
    assert float(pair_loss(g, u, PRINCIPLED, seeded())) == pytest.approx(0.0509619334, abs=1e-9)


def test_drawn_pairs_come_from_different_gradient_bins_and_estimate_a_positive_loss() -> None:
    g = torch.rand(500, generator=seeded(1), dtype=torch.float64)
    first, second = choose_pairs(g, 4000, seeded(2))
    edges = torch.tensor([number * 500 // 16 for number in range(1, 16)])
    bins = torch.bucketize(torch.argsort(torch.argsort(g)), edges, right=True)
    assert len(first) == 4000
    assert bool((bins[first] != bins[second]).all())
    assert len(bins[first].unique()) == 16
    rising = pair_loss(g, g, replace(PRINCIPLED, pairs_per_case=4000), seeded(3))
    falling = pair_loss(g, -g, replace(PRINCIPLED, pairs_per_case=4000), seeded(3))
    assert float(rising) > 0.05
    assert float(falling) == 0.0


@pytest.mark.parametrize("budget", [20_000, 50])
def test_the_gradient_loss_does_not_depend_on_the_order_of_images(budget: int) -> None:
    g, u = torch.rand(2, 6, 6, generator=seeded()), torch.rand(2, 6, 6, generator=seeded(1))
    geometries = [SampleGeometry(torch.zeros(6, 6), x, 1.0, 4.0) for x in g]
    settings = replace(PRINCIPLED, pairs_per_case=budget)
    one = gradient_uncertainty_loss(u, geometries, settings, seeded())
    other = gradient_uncertainty_loss(u.flip(0), geometries[::-1], settings, seeded())
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("epoch", "expected"), [(29.9, 0.0), (30, 0.01), (40, 0.019306977), (65, 0.1)])
def test_the_ramp_is_the_published_one(epoch: float, expected: float) -> None:
    assert ramp(epoch, 100, 30) == pytest.approx(expected, abs=1e-9)
    assert ramp(99, 100, 30) == pytest.approx(0.936329209, abs=1e-9)


def test_the_ramp_may_reach_its_end_before_the_training_does() -> None:
    assert ramp(50, 50, 0) == ramp(80, 50, 0) == 1.0
    with pytest.raises(ValueError, match="start < full"):
        replace(PRINCIPLED, start=0.5, full=0.4)


def test_patch_sides_are_the_nearest_odd_counts() -> None:
    assert patch_shape(4.5, (1.0, 1.0, 1.0), 3) == (5, 5, 5)
    assert patch_shape(4.5, (10.0, 1.5, 1.5), 3) == (1, 3, 3)
    assert patch_shape(3, None, 2) == (3, 3)


def test_patches_lie_inside_do_not_overlap_and_prefer_hard_voxels_of_their_class() -> None:
    rng = np.random.default_rng(0)
    label = np.zeros((30, 30), dtype=np.uint8)
    label[8:20, 8:20] = 1
    hard = np.zeros(label.shape, dtype=bool)
    hard[10, 10] = hard[16, 16] = True
    centres = place_patches(label, hard, np.ones_like(hard), 2, (3, 3), 3, rng)
    assert len(centres) == 6
    assert centres.min() >= 1
    assert centres.max() <= 28
    assert {(10, 10), (16, 16)} <= {tuple(c) for c in centres}
    apart = np.abs(centres[:, None] - centres[None]).max(-1)[np.triu_indices(6, 1)]
    assert apart.min() >= 3


def test_two_levels_differ_by_the_level_times_the_same_tile() -> None:
    image, tile = torch.rand(1, 9, 9, generator=seeded()), torch.randn(1, 1, 3, 3, generator=seeded(1))
    centre = np.array([[4, 4]])
    low, high = (noisy_image(image, centre, tile, s) for s in (0.2, 0.7))
    torch.testing.assert_close((high - low)[:, 3:6, 3:6], 0.5 * tile[0])
    assert torch.equal(low[:, :3], image[:, :3])
    assert torch.equal(noisy_image(image, centre, tile, 0.0), image)


def test_a_noise_field_is_the_same_at_both_levels_and_is_read_near_the_boundary() -> None:
    image, label = ball_batch()
    settings = replace(PRINCIPLED, noise_place="field", points=50, largest_level=0.4, t=2.0)
    geometries = batch_geometry(image, label, (1.0, 1.0, 1.0), settings)
    nowhere = torch.zeros_like(label, dtype=torch.bool)
    inputs = noisy_inputs(image, label, nowhere, geometries, 2, (1.0, 1.0, 1.0), settings, seeded())
    assert max(inputs.levels) <= 0.4
    assert inputs.levels[inputs.noisier] == max(inputs.levels)
    first, second = ((copy - image) / level for copy, level in zip(inputs.images, inputs.levels, strict=True))
    torch.testing.assert_close(first, second, atol=1e-4, rtol=1e-4)
    assert 0.9 < float(first.std()) < 1.1
    for centres, geometry in zip(inputs.centres, geometries, strict=True):
        assert len(centres.unique(dim=0)) == 50
        assert float(geometry.distance[tuple(centres.T)].max()) <= 2.0  # type: ignore[union-attr]


def test_noise_as_augmentation_learns_from_the_labels_of_noisy_images_alone() -> None:
    image, label = ball_batch()
    torch.manual_seed(0)
    network = UNet(3, 1, 2, (4, 8))
    report = step(largest_level=1e-6).augmented(network, image, label, 8.0, seeded())
    assert set(report) == {"loss", "ace", "kl", "region"}
    augmented = [p.grad.clone() for p in network.parameters() if p.grad is not None]
    network.zero_grad()
    plain = step(beta=0.0, gamma=0.0).backward(network, image, label, 8.0, seeded())
    assert report["loss"] == pytest.approx(plain["loss"], rel=1e-4)
    for a, p in zip(augmented, network.parameters(), strict=True):
        torch.testing.assert_close(a, p.grad, atol=1e-4, rtol=1e-3)


def step(one_graph: bool = True, **changes: Any) -> SureStep:
    settings = replace(PRINCIPLED, one_graph=one_graph, t=2.0, **changes)
    return SureStep(EvidentialLoss(epochs=10), 10, 2, (1.0, 1.0, 1.0), settings)


@pytest.mark.parametrize("changes", [{}, {"noise_place": "field", "points": 40, "noisy_segmentation": 0.5}])
def test_pass_by_pass_gives_the_gradients_of_the_single_graph(changes: dict[str, Any]) -> None:
    image, label = ball_batch()
    grads, reports = [], []
    for one_graph in (True, False):
        torch.manual_seed(0)
        network = UNet(3, 1, 2, (4, 8))
        reports.append(step(one_graph, **changes).backward(network, image, label, 8.0, seeded()))
        grads.append([p.grad for p in network.parameters()])
    assert ("noisy" in reports[0]) == bool(changes)
    for name, value in reports[0].items():
        assert reports[1][name] == pytest.approx(value, abs=1e-5), name
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_before_the_ramp_the_extra_losses_are_absent() -> None:
    image, label = ball_batch()
    report = step().backward(UNet(3, 1, 2, (4, 8)), image, label, 2.9, seeded())
    assert set(report) == {"loss", "ace", "kl", "region"}
    later = step().backward(UNet(3, 1, 2, (4, 8)), image, label, 3.0, seeded())
    assert set(later) - set(report) == {"gradient", "mu", "distance", "far"}


def test_only_the_far_part_moves_the_clean_uncertainty() -> None:
    image, label = ball_batch()
    geometries = batch_geometry(image, label, (1.0, 1.0, 1.0), replace(PRINCIPLED, t=2.0))
    clean = torch.rand(2, 16, 16, 16, generator=seeded()).requires_grad_()
    noisy = tuple(torch.rand(2, 16, 16, 16, generator=seeded(n)) for n in (1, 2))
    centres = [torch.tensor([[7, 7, 3], [7, 3, 7], [1, 1, 1], [7, 7, 12]])] * 2
    parts = noise_uncertainty_loss(clean, noisy, (0.2, 0.8), centres, geometries, PRINCIPLED)  # type: ignore[arg-type]
    for name in ("mu", "distance"):
        assert not parts[name].requires_grad
    parts["far"].backward()
    assert float(clean.grad.abs().sum()) > 0  # type: ignore[union-attr]


def test_a_sample_without_a_boundary_is_left_out() -> None:
    image, label = ball_batch()
    label[1] = 0
    geometries = batch_geometry(image, label, (1.0, 1.0, 1.0), PRINCIPLED)
    assert geometries[1] is None
    report = step().backward(UNet(3, 1, 2, (4, 8)), image, label, 8.0, seeded())
    assert np.isfinite(list(report.values())).all()


def test_noisy_passes_leave_running_statistics_alone() -> None:
    network = UNet(3, 1, 2, (4, 8), norm="batch").train()
    before = {name: b.clone() for name, b in network.named_buffers()}
    with frozen_statistics(network):
        network(torch.randn(2, 1, 16, 16, 16))
    assert all(torch.equal(b, before[name]) for name, b in network.named_buffers())
    network(torch.randn(2, 1, 16, 16, 16))
    assert any(not torch.equal(b, before[name]) for name, b in network.named_buffers())


def test_instance_norm_cancels_a_shift_of_brightness_and_not_noise() -> None:
    norm = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1, padding_mode="replicate"), torch.nn.InstanceNorm2d(4)
    )
    x = torch.randn(1, 1, 32, 32, generator=seeded())
    with torch.no_grad():
        assert float((norm(x + 0.8) - norm(x)).abs().max()) < 1e-5
        assert float((norm(x + 0.8 * torch.randn(x.shape, generator=seeded(1))) - norm(x)).abs().max()) > 1e-2


def test_the_reference_preset_takes_its_noise_as_a_mean_and_divides_by_violations() -> None:
    assert (REFERENCE.noise_kind, REFERENCE.denominator) == ("mean", "violating")
    with pytest.raises(ValueError, match="noise_kind"):
        replace(PRINCIPLED, noise_kind="other")


def test_the_same_seed_gives_the_same_gradients() -> None:
    image, label = ball_batch()
    runs = []
    for _ in range(2):
        torch.manual_seed(0)
        network = UNet(3, 1, 2, (4, 8))
        step().backward(network, image, label, 8.0, seeded(5))
        runs.append([p.grad.clone() for p in network.parameters() if p.grad is not None])
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))
