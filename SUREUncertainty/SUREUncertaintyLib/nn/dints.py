"""MONAI's DiNTS from plain numbers: the network that a search for an architecture found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch


def create_dints(
    space: Mapping[str, Any],
    arch_code_a: Sequence[Sequence[float]],
    arch_code_c: Sequence[Sequence[float]],
    node_a: Sequence[Sequence[float]],
    **arguments: Any,
) -> torch.nn.Module:
    """The network of He et al., CVPR 2021 (arXiv 2103.15954), as MONAI implements it.

    Args:
        space: ``channel_mul``, ``num_blocks``, ``num_depths``, ``use_downsample`` of its ``TopologyInstance``.
        arch_code_a, arch_code_c: (blocks, paths) which paths there are, and which cell is on each.
        node_a: (blocks + 1, depths) which resolutions are used.
        arguments: of ``DiNTS``.
    """
    from monai.networks.nets import DiNTS, TopologyInstance

    codes = [np.asarray(arch_code_a), np.asarray(arch_code_c).astype(np.int64)]
    instance = TopologyInstance(arch_code=codes, device="cpu", **space)
    network: torch.nn.Module = DiNTS(dints_space=instance, node_a=torch.from_numpy(np.asarray(node_a)), **arguments)
    return network
