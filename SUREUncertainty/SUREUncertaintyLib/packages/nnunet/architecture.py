"""The network that a plans file describes, as a name in our registry with plain arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ...core.errors import PackageError
from ..metadata_fields import Fields

PLAIN, RESIDUAL = "nnunet_plain", "nnunet_residual"
NETWORKS = {
    "dynamic_network_architectures.architectures.unet.PlainConvUNet": PLAIN,
    "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet": RESIDUAL,
    "dynamic_network_architectures.architectures.residual_unet.ResidualEncoderUNet": RESIDUAL,
}
OLD_NETWORKS = {"PlainConvUNet": PLAIN, "ResidualEncoderUNet": RESIDUAL}
COUNTS = {PLAIN: ("n_conv_per_stage", "convolutions"), RESIDUAL: ("n_blocks_per_stage", "blocks")}
SHARED = {
    *("n_stages", "features_per_stage", "conv_op", "kernel_sizes", "strides", "n_conv_per_stage_decoder", "conv_bias"),
    *("norm_op", "norm_op_kwargs", "dropout_op", "dropout_op_kwargs", "nonlin", "nonlin_kwargs", "deep_supervision"),
}
OWN = {PLAIN: {"n_conv_per_stage", "nonlin_first"}, RESIDUAL: {"n_blocks_per_stage", "stem_channels"}}
EMPTY: dict[str, tuple[Any, ...]] = {
    "dropout_op": (None,),
    "dropout_op_kwargs": (None, {}),
    "nonlin_first": (None, False),
}
NORMS = {"instancenorm.InstanceNorm": "instance", "batchnorm.BatchNorm": "batch"}
NONLINEARITY = "torch.nn.LeakyReLU"
SLOPE, EPS = 0.01, 1e-5


def network_of(chosen: Fields, dimension: int, channels: int, outputs: int) -> dict[str, Any]:
    """``{"name", "arguments"}`` as ``configs/metadata.json`` holds them, from a configuration of either format.

    Raises:
        PackageError: another network, or an option of it that ours does not have.
    """
    if not chosen.has("architecture"):
        return _old_network(chosen, dimension, channels, outputs)
    architecture = chosen.inner("architecture")
    target = architecture.text("network_class_name")
    if target not in NETWORKS:
        known = ", ".join(sorted({name.rpartition(".")[2] for name in NETWORKS}))
        raise PackageError(f"The network '{target}' of plans.json is not supported; supported are: {known}.")
    name, arguments = NETWORKS[target], architecture.inner("arch_kwargs")
    _check_options(arguments, name, dimension)
    norm = _norm(arguments, dimension)
    stages = arguments.integer("n_stages", 2, 16)
    count, ours = COUNTS[name]
    found = {
        "dimension": dimension,
        "channels": channels,
        "classes": outputs,
        "features": _row(arguments, "features_per_stage", stages),
        "kernels": _table(arguments, "kernel_sizes", stages, dimension),
        "strides": _table(arguments, "strides", stages, dimension),
        ours: _row(arguments, count, stages),
        "decoder_convolutions": _row(arguments, "n_conv_per_stage_decoder", stages - 1),
        "bias": bool(arguments.content.get("conv_bias", False)),
        "eps": float((arguments.content.get("norm_op_kwargs") or {}).get("eps", EPS)),
        "slope": float((arguments.content.get("nonlin_kwargs") or {}).get("negative_slope", SLOPE)),
    }
    stem = arguments.content.get("stem_channels")
    found |= {"stem": int(stem)} if stem else {}
    return {"name": name, "arguments": {**found, "norm": norm} if norm != "instance" else found}


def with_batch_norm(network: Mapping[str, Any]) -> dict[str, Any]:
    """The same network as ``nnUNetTrainerBN`` builds it from plans that name another normalisation."""
    return {**network, "arguments": {**network["arguments"], "norm": "batch", "eps": EPS}}


def _norm(arguments: Fields, dimension: int) -> str:
    target = arguments.content.get("norm_op")
    for name, norm in NORMS.items():
        if target in (f"torch.nn.modules.{name}{dimension}d", f"torch.nn.{name.partition('.')[2]}{dimension}d"):
            return norm
    return _refuse(arguments, "norm_op")


def _old_network(chosen: Fields, dimension: int, channels: int, outputs: int) -> dict[str, Any]:
    """Plans from before 2024 name the network's numbers one by one."""
    target = chosen.text("UNet_class_name")
    if target not in OLD_NETWORKS:
        raise PackageError(
            f"The network '{target}' of plans.json is not supported; supported are: {', '.join(OLD_NETWORKS)}."
        )
    name = OLD_NETWORKS[target]
    row = chosen.integers("n_conv_per_stage_encoder", tuple(range(2, 17)))
    base, most = chosen.integer("UNet_base_num_features", 1, 4096), chosen.integer("unet_max_num_features", 1, 65536)
    arguments = {
        "dimension": dimension,
        "channels": channels,
        "classes": outputs,
        "features": [min(base * 2**stage, most) for stage in range(len(row))],
        "kernels": _table(chosen, "conv_kernel_sizes", len(row), dimension),
        "strides": _table(chosen, "pool_op_kernel_sizes", len(row), dimension),
        COUNTS[name][1]: list(row),
        "decoder_convolutions": _row(chosen, "n_conv_per_stage_decoder", len(row) - 1),
        "bias": True,
        "eps": EPS,
        "slope": SLOPE,
    }
    return {"name": name, "arguments": arguments}


def _check_options(arguments: Fields, name: str, dimension: int) -> None:
    unknown = sorted(set(arguments.content) - SHARED - OWN[name])
    for key in unknown:
        if arguments.content[key] not in (None, False):
            raise PackageError(f"The network of plans.json uses '{key}', which is not supported.")
    wanted = {
        "conv_op": (f"torch.nn.modules.conv.Conv{dimension}d", f"torch.nn.Conv{dimension}d"),
        "nonlin": (NONLINEARITY, "torch.nn.modules.activation.LeakyReLU"),
    }
    for key, values in wanted.items():
        if arguments.content.get(key) not in values:
            _refuse(arguments, key)
    for key, empty in EMPTY.items():
        if arguments.content.get(key) not in empty:
            _refuse(arguments, key)
    norm = arguments.content.get("norm_op_kwargs") or {}
    if set(norm) - {"eps", "affine"} or norm.get("affine", False) is not True:
        _refuse(arguments, "norm_op_kwargs")
    if set(arguments.content.get("nonlin_kwargs") or {}) - {"inplace", "negative_slope"}:
        _refuse(arguments, "nonlin_kwargs")


def _refuse(arguments: Fields, key: str) -> NoReturn:
    raise PackageError(
        f"The network of plans.json has '{key}': {arguments.content.get(key)!r}, which is not supported here."
    )


def _row(fields: Fields, key: str, count: int) -> list[int]:
    """One number a stage; a single one stands for all."""
    value = fields.content.get(key)
    row = [value] * count if type(value) is int else value
    if not isinstance(row, list) or len(row) != count or any(type(one) is not int or one < 1 for one in row):
        fields.fail(key, f"{count} positive whole numbers")
    return list(row)


def _table(fields: Fields, key: str, count: int, dimension: int) -> list[list[int]]:
    """One number an axis a stage; a single one stands for all axes, or for all of them everywhere."""
    value = fields.content.get(key)
    rows: Sequence[Any] = [value] * count if type(value) is int else value if isinstance(value, list) else []
    table = [[row] * dimension if type(row) is int else row for row in rows]
    if len(table) != count or not all(_is_row(row, dimension) for row in table):
        fields.fail(key, f"{count} lists of {dimension} positive whole numbers")
    return [list(row) for row in table]


def _is_row(row: object, dimension: int) -> bool:
    return isinstance(row, list) and len(row) == dimension and all(type(one) is int and one > 0 for one in row)
