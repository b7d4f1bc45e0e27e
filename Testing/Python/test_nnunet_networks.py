"""Our nnU-Net networks against those of dynamic_network_architectures: same names, same numbers."""

from __future__ import annotations

from typing import Any

import pytest
from needed_torch import torch
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.packages.metadata_fields import Fields
from SUREUncertaintyLib.packages.nnunet.architecture import network_of
from SUREUncertaintyLib.packages.nnunet.checkpoint import distinct_tensors

unet = pytest.importorskip(
    "dynamic_network_architectures.architectures.unet",
    reason="dynamic-network-architectures is not installed: `make nnunet` brings it and runs this file",
)


def arguments(dimension: int, residual: bool) -> dict[str, Any]:
    """As a plans file writes them, with an anisotropic first stage."""
    flat, full = [1] + [3] * (dimension - 1), [3] * dimension
    count = {"n_blocks_per_stage": [1, 3, 2]} if residual else {"n_conv_per_stage": [2, 1, 2]}
    return {
        "n_stages": 3,
        "features_per_stage": [8, 16, 24],
        "conv_op": f"torch.nn.modules.conv.Conv{dimension}d",
        "kernel_sizes": [flat, full, full],
        "strides": [[1] * dimension, [1] + [2] * (dimension - 1), [2] * dimension],
        **count,
        "n_conv_per_stage_decoder": [2, 1],
        "conv_bias": True,
        "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{dimension}d",
        "norm_op_kwargs": {"eps": 1e-05, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }


def configuration(dimension: int, residual: bool, **changes: Any) -> Fields:
    name = "ResidualEncoderUNet" if residual else "PlainConvUNet"
    architecture = {
        "network_class_name": f"dynamic_network_architectures.architectures.unet.{name}",
        "arch_kwargs": {**arguments(dimension, residual), **changes},
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
    return Fields({"architecture": architecture}, "configurations.x", "plans.json")


def oracle(dimension: int, residual: bool, channels: int, classes: int, **changes: Any) -> torch.nn.Module:
    norm = "BatchNorm" if "batchnorm" in changes.get("norm_op", "") else "InstanceNorm"
    imported = {
        "conv_op": {2: torch.nn.Conv2d, 3: torch.nn.Conv3d}[dimension],
        "norm_op": getattr(torch.nn, f"{norm}{dimension}d"),
        "nonlin": torch.nn.LeakyReLU,
    }
    kind = unet.ResidualEncoderUNet if residual else unet.PlainConvUNet
    options = {**arguments(dimension, residual), **changes, **imported, "deep_supervision": False}
    network: torch.nn.Module = kind(input_channels=channels, num_classes=classes, **options)
    return network.eval()


@pytest.mark.parametrize("residual", [False, True], ids=["plain", "residual"])
@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("changes", [{}, {"nonlin_kwargs": {"negative_slope": 0.2}, "conv_bias": False}])
def test_a_state_dict_fits_strictly_and_gives_the_same_numbers(
    dimension: int, residual: bool, changes: dict[str, Any]
) -> None:
    torch.manual_seed(dimension)
    theirs = oracle(dimension, residual, 2, 4, **changes)
    planned = network_of(configuration(dimension, residual, **changes), dimension, 2, 4)
    ours = create_network(planned["name"], planned["arguments"]).eval()
    ours.load_state_dict(distinct_tensors(theirs.state_dict()))
    image = torch.randn(2, 2, *[16] * dimension)
    with torch.no_grad():
        assert torch.equal(ours(image), theirs(image))


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("residual", [False, True], ids=["plain", "residual"])
def test_batch_normalisation_uses_what_was_learned_in_training(dimension: int, residual: bool) -> None:
    changes = {"norm_op": f"torch.nn.modules.batchnorm.BatchNorm{dimension}d"}
    theirs = oracle(dimension, residual, 1, 2, **changes)
    for name, tensor in theirs.state_dict().items():
        if "running" in name:
            tensor.copy_(1.0 + torch.rand(tensor.shape))
    planned = network_of(configuration(dimension, residual, **changes), dimension, 1, 2)
    ours = create_network(planned["name"], planned["arguments"]).eval()
    ours.load_state_dict(distinct_tensors(theirs.state_dict()))
    image = torch.randn(2, 1, *[16] * dimension)
    with torch.no_grad():
        assert torch.equal(ours(image), theirs(image))


def test_a_stem_of_its_own_width_fits() -> None:
    theirs = oracle(3, True, 1, 2, stem_channels=6)
    planned = network_of(configuration(3, True, stem_channels=6), 3, 1, 2)
    create_network(planned["name"], planned["arguments"]).load_state_dict(distinct_tensors(theirs.state_dict()))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"norm_op": "torch.nn.modules.normalization.GroupNorm"}, "norm_op"),
        ({"nonlin": "torch.nn.ReLU"}, "nonlin"),
        ({"dropout_op": "torch.nn.Dropout3d"}, "dropout_op"),
        ({"nonlin_first": True}, "nonlin_first"),
        ({"norm_op_kwargs": {"eps": 1e-5, "affine": False}}, "norm_op_kwargs"),
        ({"squeeze_excitation": True}, "squeeze_excitation"),
        ({"strides": [[1, 1, 1], [2, 2, 2]]}, "strides"),
    ],
)
def test_an_option_that_ours_does_not_have_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(PackageError, match=named):
        network_of(configuration(3, False, **changes), 3, 1, 2)


def test_another_network_is_refused_by_name() -> None:
    other = Fields({"architecture": {"network_class_name": "somewhere.Primus", "arch_kwargs": {}}}, "", "plans.json")
    with pytest.raises(PackageError, match=r"somewhere\.Primus"):
        network_of(other, 3, 1, 2)
