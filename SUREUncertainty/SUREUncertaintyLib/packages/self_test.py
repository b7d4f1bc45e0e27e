"""The test that every import ends with: a graph in OpenVINO against its network in torch, on noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import PackageError

if TYPE_CHECKING:
    import torch

TOLERANCE = 1e-3
"""Largest difference of graph and network that is allowed, as a share of the largest output."""


def compare_graph(network: torch.nn.Module, graph: Path, shape: Sequence[int], name: str) -> dict[str, Any]:
    """How far a graph is from its network, for the package's ``self_test``.

    Args:
        shape: of the noise, (1, channels, ...).
        name: of the network, for the sentence.

    Raises:
        PackageError: they differ by more than a thousandth.
    """
    import numpy as np
    import torch

    from ..nn.export import compile_graph

    noise = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(noise)).numpy()
    found = np.asarray(compile_graph(graph)(noise)[0])
    largest, difference = float(np.abs(expected).max()), float(np.abs(found - expected).max())
    if not difference <= TOLERANCE * max(largest, 1.0):
        raise PackageError(
            f"The graph of {name} differs from its network by {difference:.2g} on noise (largest output "
            f"{largest:.2g}), so that it is not used."
        )
    return {"window": list(shape), "largest_output": largest, "largest_difference": difference}
