"""Networks by name: ours, and an allow-list of MONAI's. Nothing outside this list is ever constructed from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.errors import PackageError

if TYPE_CHECKING:
    import torch

MONAI_PREFIX = "monai.networks.nets."
LATENT_NETWORK = "latent_unet"
RESIDUAL_NETWORK = "residual_latent_unet"
LATENT_NETWORKS = frozenset({LATENT_NETWORK, RESIDUAL_NETWORK})
"""Networks that are encoded once and decoded once a sample."""

GRAPH_ONLY = "graph"
"""A network of which a package has only the graph."""

DINTS = "dints"
COMPARISON_ONLY = frozenset({"probabilistic_unet"})
"""Trained and measured beside ours, never packed: a latent for a whole image does not fit scans of any size."""
OWN_TARGETS = {
    "unet": "SUREUncertaintyLib.nn.unet.UNet",
    LATENT_NETWORK: "SUREUncertaintyLib.nn.hierarchical.latent_unet.LatentUNet",
    RESIDUAL_NETWORK: "SUREUncertaintyLib.nn.hierarchical.residual_unet.ResidualLatentUNet",
    "probabilistic_unet": "SUREUncertaintyLib.nn.hierarchical.probabilistic_unet.ProbabilisticUNet",
    "nnunet_plain": "SUREUncertaintyLib.nn.nnunet.PlainConvUNet",
    "nnunet_residual": "SUREUncertaintyLib.nn.nnunet.ResidualEncoderUNet",
    DINTS: "SUREUncertaintyLib.nn.dints.create_dints",
    GRAPH_ONLY: "",
}
MONAI_NETWORKS = frozenset(
    {
        "AttentionUnet",
        "BasicUNet",
        "DynUNet",
        "HighResNet",
        "MedNeXt",
        "SegResNet",
        "SegResNetDS",
        "SwinUNETR",
        "UNETR",
        "UNet",
        "VNet",
    }
)


def canonical_name(target: str) -> str:
    """The registry's name for a network name or a bundle's ``_target_``.

    ``"unet"`` stays; ``"SegResNet"`` and ``"monai.networks.nets.segresnet.SegResNet"`` both become
    ``"monai.networks.nets.SegResNet"``.

    Raises:
        PackageError: the network is not on the list.
    """
    for name, own in OWN_TARGETS.items():
        if target and target in (name, own):
            return name
    path, _, last = target.rpartition(".")
    if last in MONAI_NETWORKS and (not path or f"{path}.".startswith(MONAI_PREFIX)):
        return MONAI_PREFIX + last
    known = ", ".join([*(name for name in OWN_TARGETS if name != GRAPH_ONLY), *sorted(MONAI_NETWORKS)])
    raise PackageError(
        f"The network '{target}' is not on the list of networks that may be built from a file. Allowed are: {known}."
    )


def bundle_target(name: str) -> str:
    """What a MONAI Bundle writes as ``_target_`` for a network of the registry."""
    canonical = canonical_name(name)
    return OWN_TARGETS.get(canonical, canonical)


def create_network(name: str, arguments: Mapping[str, Any]) -> torch.nn.Module:
    """An untrained network, in training mode as torch makes it.

    Args:
        name: ``"unet"`` or an allowed MONAI class, see ``canonical_name``.
        arguments: keyword arguments of its constructor, plain JSON values.

    Raises:
        PackageError: unknown name, arguments that the network does not accept, or a package that it needs is missing.
    """
    factory = _factory(canonical_name(name))
    try:
        network: torch.nn.Module = factory(**arguments)
    except (TypeError, ValueError, KeyError, AssertionError) as error:
        raise PackageError(
            f"The network '{name}' cannot be built with the arguments in the package: {error}"
        ) from error
    return network


def _factory(canonical: str) -> Any:
    if canonical == "unet":
        from .unet import UNet

        return UNet
    if canonical == LATENT_NETWORK:
        from .hierarchical.latent_unet import LatentUNet

        return LatentUNet
    if canonical == RESIDUAL_NETWORK:
        from .hierarchical.residual_unet import ResidualLatentUNet

        return ResidualLatentUNet
    if canonical == "probabilistic_unet":
        from .hierarchical.probabilistic_unet import ProbabilisticUNet

        return ProbabilisticUNet
    if canonical in ("nnunet_plain", "nnunet_residual"):
        from . import nnunet

        return nnunet.PlainConvUNet if canonical == "nnunet_plain" else nnunet.ResidualEncoderUNet
    if canonical == DINTS:
        from .dints import create_dints

        return create_dints
    if canonical == GRAPH_ONLY:
        raise PackageError("The package only has a graph of its network; use the OpenVINO engine for it.")
    import monai.networks.nets

    return getattr(monai.networks.nets, canonical.removeprefix(MONAI_PREFIX))
