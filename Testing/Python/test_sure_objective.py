"""SURE from a recipe: presets, options, units of its widths, and which voxels are hard."""

from dataclasses import replace
from typing import Any

import pytest
from needed_torch import torch
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.nn.evidential import dirichlet
from SUREUncertaintyLib.nn.losses.noisy_passes import hard_voxels
from SUREUncertaintyLib.training.objectives import create_objective
from SUREUncertaintyLib.training.recipe import LossSection, Recipe, load_recipe
from SUREUncertaintyLib.training.sure_objective import SureObjective, sure_settings


def sure_recipe(base: str = "hippocampus-t1", **options: Any) -> Recipe:
    return replace(load_recipe(base), loss=LossSection("sure", options=options))


def test_the_reference_preset_is_chosen_by_name_and_may_be_changed() -> None:
    settings = sure_settings(sure_recipe(preset="reference", beta=3.0))
    assert (settings.denominator, settings.noise_kind, settings.beta) == ("violating", "mean", 3.0)
    plain = sure_settings(sure_recipe())
    assert (plain.denominator, plain.noise_kind, plain.hard_samples, plain.detach_clean) == (
        "all",
        "spread",
        True,
        True,
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "other"}, "Unknown preset 'other'"),
        ({"betta": 1.0}, r"\['betta'\]"),
        ({"noise_place": "everywhere"}, "noise_place must be one of patches, field"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        sure_settings(sure_recipe(**options))


def test_widths_are_millimetres_in_3d_and_pixels_slice_by_slice() -> None:
    solid = create_objective(sure_recipe(), 3, 10.0)
    planar = create_objective(sure_recipe("acdc"), 4, 10.0)
    assert isinstance(solid, SureObjective)
    assert isinstance(planar, SureObjective)
    assert solid.step.spacing == (1.0, 1.0, 1.0)
    assert planar.step.spacing is None


def test_hard_voxels_are_those_whose_uncertainty_does_not_rise_under_noise() -> None:
    def forward(image: torch.Tensor) -> torch.Tensor:
        """Evidence falls where the image brightens, so that uncertainty follows the sign of the noise."""
        return torch.cat([-image, -image], dim=1)

    image = torch.zeros(1, 1, 6, 6)
    clean = dirichlet(forward(image)).vacuity
    hard = hard_voxels(forward, image, clean, "spread", torch.Generator().manual_seed(4))
    field = torch.randn(image.shape, generator=torch.Generator().manual_seed(4))
    assert torch.equal(hard, field[:, 0] <= 0)
    assert 0 < int(hard.sum()) < hard.numel()
