"""SURE across scans: copies with damage of every kind, and mean uncertainty that follows the loss of Dice."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from balls import ball_batch
from needed_torch import torch
from SUREUncertaintyLib.corruptions.registry import NAMES
from SUREUncertaintyLib.nn.evidential import EvidentialLoss
from SUREUncertaintyLib.nn.losses import damaged_copies as module
from SUREUncertaintyLib.nn.losses.damaged_copies import CURVE, KINDS, damaged_copies
from SUREUncertaintyLib.nn.losses.geometry import SampleGeometry
from SUREUncertaintyLib.nn.losses.scan_uncertainty import mean_dice, scan_uncertainty_loss
from SUREUncertaintyLib.nn.losses.settings import MARGIN
from SUREUncertaintyLib.nn.losses.sure_step import SureStep
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.training.trained_parts import freeze_others

GEOMETRY = SampleGeometry(torch.tensor([0.0, 3.0, 9.0, 9.0]), torch.zeros(4), delta=1.5, t=6.0)


def test_every_kind_of_damage_but_noise_and_blur_is_drawn() -> None:
    assert set(KINDS) == {*NAMES, CURVE} - {"gaussian", "blur"}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"brightness"}))
def test_a_damaged_copy_is_normalised_and_no_damage_changes_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KINDS", (kind,))
    image = ball_batch()[0] * 3.0 + torch.randn(1, generator=torch.Generator().manual_seed(0))
    same, other = damaged_copies(image, (0.0, 0.9), (1.0, 1.0, 1.0), np.random.default_rng(0))
    torch.testing.assert_close(same, image, atol=1e-4, rtol=1e-4)
    assert float((other - image).abs().max()) > 0.05
    assert float(other.mean()) == pytest.approx(float(image.mean()), abs=1e-3)
    assert float(other.std()) == pytest.approx(float(image.std()), rel=1e-3)


def test_brightness_stays_a_shift_and_a_plane_is_one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KINDS", ("brightness",))
    image = torch.randn(2, 1, 6, 7, generator=torch.Generator().manual_seed(0))
    first, second = damaged_copies(image, (0.25, 1.0), None, np.random.default_rng(0))
    torch.testing.assert_close(first, image + 0.25)
    torch.testing.assert_close(second, image + 1.0)


def test_the_same_draw_gives_the_same_copies_and_both_strengths_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KINDS", (CURVE,))
    image = torch.randn(1, 1, 5, 6, 7, generator=torch.Generator().manual_seed(0))
    once = damaged_copies(image, (0.5, 0.5), (1.0, 1.0, 1.0), np.random.default_rng(4))
    again = damaged_copies(image, (0.5, 0.5), (1.0, 1.0, 1.0), np.random.default_rng(4))
    assert torch.equal(once[0], once[1])
    assert torch.equal(once[0], again[0])
    assert not torch.equal(once[0], damaged_copies(image, (0.5, 0.5), (1.0,) * 3, np.random.default_rng(5))[0])


def test_mean_dice_is_that_of_the_structures_of_the_label() -> None:
    label = torch.tensor([0, 1, 1, 2])
    assert mean_dice(label, label) == 1.0
    assert mean_dice(torch.tensor([0, 1, 0, 0]), label) == pytest.approx((2.0 / 3.0 + 0.0) / 2.0)
    assert mean_dice(torch.tensor([1, 1]), torch.tensor([0, 0])) == 1.0


def _scan_loss(uncertainties: list[float], predicted: list[list[int]]) -> float:
    maps = [
        torch.tensor([[1.5 * uncertainty, 0.5 * uncertainty, 0.9, 0.9]], dtype=torch.float64)
        for uncertainty in uncertainties
    ]
    classes = [torch.tensor([found]) for found in predicted]
    return float(scan_uncertainty_loss(maps, classes, torch.tensor([[1, 1, 0, 0]]), [GEOMETRY], per_loss=0.25))


NOTHING, HALF, ALL = [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0]


def test_mean_uncertainty_near_the_boundary_follows_the_loss_of_dice() -> None:
    # Dice 0, 2/3 and 1, where the least loss counts
    assert _scan_loss([0.25, 0.25 / 3.0, 0.25 * 0.02], [NOTHING, HALF, ALL]) == pytest.approx(0.0, abs=1e-12)
    assert _scan_loss([0.25, 0.25], [NOTHING, HALF]) == pytest.approx(
        (math.log(3.0) / 2.0) ** 2 + 0.1 * (math.log(3.0) / 2.0) ** 2
    )


def test_an_error_that_all_passes_share_counts_a_tenth() -> None:
    assert _scan_loss([0.25 / math.e, 0.25 / 3.0 / math.e], [NOTHING, HALF]) == pytest.approx(0.1)


def test_a_sample_without_boundary_asks_for_nothing() -> None:
    u = torch.full((1, 4), 0.3)
    assert float(scan_uncertainty_loss([u], [torch.zeros(1, 4)], torch.zeros(1, 4), [None], 0.25)) == 0.0


@pytest.mark.parametrize("one_graph", [True, False])
def test_a_step_on_damaged_copies_teaches_the_head(one_graph: bool) -> None:
    image, label = ball_batch()
    arguments = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [4, 8], "norm": "instance"}
    torch.manual_seed(0)
    network = create_network("unet", {**arguments, "evidence_scale": True})
    freeze_others(network, "scale")
    settings = replace(MARGIN, protect=0.0, segmentation=0.0, damaged=1.0, c_scan=2.0, gamma=1.0, one_graph=one_graph)
    step = SureStep(EvidentialLoss(), epochs=10.0, classes=2, spacing=(1.0, 1.0, 1.0), settings=settings)
    report = step.backward(network, image, label, 9.0, torch.Generator().manual_seed(0))
    assert report["scan"] > 0.0
    assert report["distance"] == 0.0  # damage need not fade with distance
    gradient = dict(network.named_parameters())["scale.last.weight"].grad
    assert gradient is not None
    assert float(gradient.abs().max()) > 0.0
