"""SURE in margin form, and supervision that may not undo the segmentation."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from balls import ball_batch
from needed_torch import torch
from SUREUncertaintyLib.nn.evidential import EvidentialLoss
from SUREUncertaintyLib.nn.losses.geometry import SampleGeometry
from SUREUncertaintyLib.nn.losses.gradient_protection import backward_protected
from SUREUncertaintyLib.nn.losses.margins import (
    distance_margin_loss,
    far_margin_loss,
    gradient_margin_loss,
    level_margin_loss,
)
from SUREUncertaintyLib.nn.losses.mistakes import anchor_loss, mistake_margin_loss
from SUREUncertaintyLib.nn.losses.noise_fields import blurred_copies, kind_of_copies
from SUREUncertaintyLib.nn.losses.noise_uncertainty import Centres
from SUREUncertaintyLib.nn.losses.settings import BLURRED, DAMAGED, MARGIN, NOISY, SureSettings
from SUREUncertaintyLib.nn.losses.sure_step import SureStep
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.training.trained_parts import freeze_others
from torch import Tensor, nn


def _band(gradient: list[float]) -> SampleGeometry:
    return SampleGeometry(torch.zeros(len(gradient)), torch.tensor(gradient), delta=1.5, t=6.0)


def _gradient_loss(gradient: list[float], uncertainty: list[float]) -> float:
    u = torch.tensor([uncertainty], dtype=torch.float64)
    return float(gradient_margin_loss(u, [_band(gradient)], MARGIN, torch.Generator().manual_seed(0)))


@pytest.mark.parametrize(
    ("uncertainty", "expected"),
    [
        ([0.2, 0.2], 0.5),  # the same uncertainty at a flat and at a sharp edge: the whole margin is missing
        ([0.2 * math.exp(0.5), 0.2], 0.0),  # exactly the margin
        ([0.1, 0.2], 0.5 + math.log(2.0)),  # the wrong order
        ([0.01, 0.02], 0.5 + math.log(2.0)),  # however small u is
    ],
)
def test_a_sharp_edge_has_to_be_more_certain_by_the_margin(uncertainty: list[float], expected: float) -> None:
    assert _gradient_loss([0.0, 3.0], uncertainty) == pytest.approx(expected, abs=1e-7)


def test_only_the_rank_of_a_gradient_counts() -> None:
    uncertainty = [0.3, 0.1, 0.2]
    assert _gradient_loss([0.0, 1.0, 2.0], uncertainty) == pytest.approx(
        _gradient_loss([0.0, 10.0, 1000.0], uncertainty)
    )


def test_a_sample_without_boundary_or_with_one_voxel_has_no_gradient_loss() -> None:
    assert _gradient_loss([1.0], [0.2]) == 0.0
    u = torch.full((1, 4), 0.3)
    assert float(gradient_margin_loss(u, [None], MARGIN, torch.Generator())) == 0.0


def _centres(clean: list[float], first: list[float], second: list[float], distance: list[float]) -> Centres:
    return Centres(*(torch.tensor(v, dtype=torch.float64) for v in (clean, first, second, distance)), t=6.0)


def test_uncertainty_has_to_rise_with_the_level_by_the_margin() -> None:
    flat = _centres([0.1, 0.1], [0.1, 0.1], [0.1, 0.1], [0.0, 0.0])
    assert float(level_margin_loss([flat], 0.2, 0.6, MARGIN)) == pytest.approx(0.5 * (0.4 + 0.2 + 0.6))
    half_way = _centres([0.1], [0.1], [0.1], [3.0])
    assert float(level_margin_loss([half_way], 0.2, 0.6, MARGIN)) == pytest.approx(0.25 * (0.4 + 0.2 + 0.6))
    rising = [0.1 * math.exp(0.5 * level) for level in (0.2, 0.6)]
    enough = _centres([0.1], [rising[0]], [rising[1]], [0.0])
    assert float(level_margin_loss([enough], 0.2, 0.6, MARGIN)) == pytest.approx(0.0, abs=1e-12)


def test_the_order_of_the_two_levels_means_nothing() -> None:
    one = _centres([0.1, 0.2], [0.15, 0.1], [0.3, 0.2], [0.0, 2.0])
    other = _centres([0.1, 0.2], [0.3, 0.2], [0.15, 0.1], [0.0, 2.0])
    assert float(level_margin_loss([one], 0.2, 0.6, MARGIN)) == pytest.approx(
        float(level_margin_loss([other], 0.6, 0.2, MARGIN))
    )


def test_far_away_uncertainty_has_its_level_and_near_a_boundary_it_is_never_less() -> None:
    geometry = SampleGeometry(torch.tensor([0.0, 5.0, 8.0, 9.0]), torch.zeros(4), delta=1.5, t=6.0)
    target = MARGIN.far_target
    u = torch.tensor([[0.9, target / math.e, target / math.e**2, target * math.e]], dtype=torch.float64)
    assert float(far_margin_loss((u,), [geometry], MARGIN)) == pytest.approx((0.0 + 1.0 + 2.0 + 1.0) / 4.0)
    higher = (1.0 - 1.0 + 0.0 + 1.0 + 2.0) / 4.0  # e times u
    assert float(far_margin_loss((u, math.e * u), [geometry], MARGIN)) == pytest.approx((1.0 + higher) / 2.0)
    assert float(far_margin_loss((u,), [None], MARGIN)) == 0.0


def test_blurred_copies_are_those_of_a_gaussian_and_the_draw_decides() -> None:
    image = torch.zeros(1, 1, 21, 21)
    image[0, 0, 10, 10] = 1.0
    first, second = blurred_copies(image, (0.0, 0.5))
    assert torch.equal(first, image)
    weights = torch.exp(-(torch.arange(-6.0, 7.0) ** 2) / (2 * 1.5**2))
    assert float(second.max()) == pytest.approx(
        float((weights.max() / weights.sum()) ** 2), rel=0.05
    )  # MONAI integrates over pixels
    mixed = replace(MARGIN, blurred=0.5)
    generator = torch.Generator().manual_seed(0)
    assert 70 < [kind_of_copies(mixed, generator) for _ in range(200)].count(BLURRED) < 130
    thirds = [kind_of_copies(replace(MARGIN, blurred=0.2, damaged=0.3), generator) for _ in range(1000)]
    assert [thirds.count(kind) / 1000 for kind in (BLURRED, DAMAGED, NOISY)] == pytest.approx([0.2, 0.3, 0.5], abs=0.05)
    assert {kind_of_copies(MARGIN, generator) for _ in range(20)} == {NOISY}


def test_blur_and_damage_ask_for_their_own_margin_and_for_no_fading() -> None:
    settings = replace(MARGIN, margin_level=0.5, margin_blur=2.0, margin_damage=0.1)
    assert settings.for_copies(NOISY) == settings
    assert [(s.margin_level, s.c_d) for s in map(settings.for_copies, (BLURRED, DAMAGED))] == [(2.0, 0.0), (0.1, 0.0)]


def test_a_wrong_voxel_has_to_be_more_uncertain_by_the_margin() -> None:
    settings, generator = replace(MARGIN, margin_mistake=1.0), torch.Generator().manual_seed(0)
    wrong = torch.tensor([[True, False, False]])
    for u, expected in (([0.2, 0.2, 0.2], 1.0), ([0.2 * math.e, 0.2, 0.2], 0.0), ([0.2 / math.e, 0.2, 0.2], 2.0)):
        maps = torch.tensor([u], dtype=torch.float64)
        assert float(mistake_margin_loss([maps], [wrong], settings, generator)) == pytest.approx(expected, abs=1e-7)
    right = torch.zeros_like(wrong)
    maps = torch.full((1, 3), 0.2)
    assert float(mistake_margin_loss([maps, maps], [right, wrong], settings, generator)) == pytest.approx(0.5)


def test_the_anchor_is_the_square_of_the_logarithm_of_the_factor_near_a_boundary() -> None:
    geometry = SampleGeometry(torch.tensor([0.0, 3.0, 9.0]), torch.zeros(3), delta=1.5, t=6.0)
    factor = torch.tensor([[[math.e, 1.0, 100.0]]])
    assert float(anchor_loss(factor, [geometry])) == pytest.approx(0.5)


@pytest.mark.parametrize("one_graph", [True, False])
def test_the_evidence_scaling_head_learns_without_a_segmentation_loss(one_graph: bool) -> None:
    image, label = ball_batch()
    arguments = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [4, 8], "norm": "instance"}
    torch.manual_seed(0)
    network = create_network("unet", {**arguments, "evidence_scale": True})
    freeze_others(network, "scale")
    settings = replace(MARGIN, protect=0.0, segmentation=0.0, anchor=0.3, c_mistake=1.0, one_graph=one_graph)
    step = SureStep(EvidentialLoss(), epochs=10.0, classes=2, spacing=(1.0, 1.0, 1.0), settings=settings)
    report = step.backward(network, image, label, 9.0, torch.Generator().manual_seed(0))
    assert "ace" not in report
    assert report["mistakes"] > 0.0
    assert report["anchor"] == pytest.approx(0.0, abs=1e-12)  # a new head changes nothing
    gradients = {name: p.grad for name, p in network.named_parameters()}
    assert float(gradients["scale.last.weight"].abs().max()) > 0.0
    assert gradients["head.weight"] is None


def test_voxels_beyond_t_are_not_asked_to_rise() -> None:
    falling_far_away = _centres([0.1, 0.4], [0.2, 0.1], [0.3, 0.05], [0.0, 6.5])
    assert float(level_margin_loss([falling_far_away], 0.2, 0.6, MARGIN)) == 0.0


def test_the_rise_has_to_fade_with_distance() -> None:
    equal = _centres([0.1, 0.1], [0.2, 0.2], [0.2, 0.2], [0.0, 6.0])
    # margin 0.3 x level over the whole zone, for both levels
    assert float(distance_margin_loss([equal], 0.5, 1.0, MARGIN)) == pytest.approx((0.15 + 0.3) / 2)
    fading = _centres([0.1, 0.1], [0.2, 0.1], [0.2, 0.1], [0.0, 6.0])
    assert float(distance_margin_loss([fading], 0.5, 1.0, MARGIN)) == 0.0


class _Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2))


def _protected(segmentation: list[float], supervision: list[float], ratio: float) -> Tensor:
    network = _Pair()
    losses = [(network.w * torch.tensor(slope)).sum() for slope in (segmentation, supervision)]
    backward_protected(network, *losses, ratio)
    assert network.w.grad is not None
    return network.w.grad


def test_supervision_against_the_segmentation_loses_that_part() -> None:
    torch.testing.assert_close(_protected([1.0, 0.0], [-3.0, 0.4], ratio=1.0), torch.tensor([1.0, 0.4]))


def test_supervision_is_shortened_to_the_ratio() -> None:
    torch.testing.assert_close(_protected([0.0, 2.0], [-8.0, 0.0], ratio=0.5), torch.tensor([-1.0, 2.0]))


def test_supervision_that_agrees_and_is_short_is_just_added() -> None:
    torch.testing.assert_close(_protected([2.0, 1.0], [0.5, 0.25], ratio=1.0), torch.tensor([2.5, 1.25]))


def test_a_step_in_margin_form_reports_every_part_and_changes_weights() -> None:
    image, label = ball_batch()
    network = create_network(
        "unet", {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [4, 8], "norm": "instance"}
    )
    step = SureStep(EvidentialLoss(), epochs=10.0, classes=2, spacing=(1.0, 1.0, 1.0), settings=MARGIN)
    report = step.backward(network, image, label, 9.0, torch.Generator().manual_seed(0))
    assert {"ace", "region", "gradient", "mu", "distance", "far"} <= set(report)
    assert report["mu"] > 0.0
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_an_unknown_form_and_protection_pass_by_pass_are_refused() -> None:
    with pytest.raises(ValueError, match="form"):
        SureSettings(form="ratio")
    with pytest.raises(ValueError, match="one_graph"):
        SureSettings(protect=1.0, one_graph=False)
    with pytest.raises(ValueError, match="blurred"):
        SureSettings(blurred=0.3)
    with pytest.raises(ValueError, match="together"):
        replace(MARGIN, blurred=0.6, damaged=0.5)
    with pytest.raises(ValueError, match="uncertainty_per_loss"):
        replace(MARGIN, uncertainty_per_loss=0.0)
    with pytest.raises(ValueError, match="segmentation"):
        SureSettings(protect=1.0, segmentation=0.0)
