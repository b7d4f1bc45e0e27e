"""A tiny untrained package and an analytic engine, for tests that need a model but not its skill."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from kept_packages import kept_package
from numpy.typing import NDArray
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.inference.engine import OneNetwork
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import build_package

PATCH = (16, 16, 16)
LABELS = [
    {"value": 0, "name": "background", "color": [0, 0, 0]},
    {"value": 1, "name": "shell", "color": [0.9, 0.3, 0.2]},
    {"value": 2, "name": "core", "color": [0.2, 0.6, 0.9]},
]


def tiny_document(**changes: Any) -> dict[str, Any]:
    """Metadata of a 3D U-Net of two levels; ``changes`` replace top-level fields."""
    arguments = {"spatial_dims": 3, "in_channels": 1, "out_channels": 3, "channels": [4, 8]}
    document: dict[str, Any] = {
        "name": "tiny",
        "task": "Phantom segmentation",
        "description": "Untrained network for tests",
        "modality": "MR",
        "network": {"name": "unet", "arguments": arguments},
        "head": "evidential",
        "orientation": "RAS",
        "spacing": [1.0, 1.0, 1.0],
        "normalisation": {"kind": "zscore"},
        "patch": list(PATCH),
        "overlap": 0.5,
        "labels": LABELS,
        "uncertainty": {"primary": "vacuity", "kinds": ["vacuity", "entropy"], "threshold": 0.5},
    }
    return document | changes


def build_tiny(destination: Path, **changes: Any) -> Package:
    """Write a package with seeded random weights whose logits are centred and spread, so that all classes win."""
    document = tiny_document(**changes)
    return kept_package(document, destination, lambda: _built(document, destination))


def _built(document: dict[str, Any], destination: Path) -> Package:
    from needed_torch import torch
    from SUREUncertaintyLib.nn.registry import create_network

    torch.manual_seed(7)
    network = create_network(document["network"]["name"], document["network"]["arguments"])
    with torch.no_grad():
        logits = network.eval()(torch.randn(2, 1, *document["patch"])).movedim(1, 0).flatten(1)
        scale = 2.0 / logits.std(1)
        network.head.weight.mul_(scale.reshape(-1, *[1] * (network.head.weight.ndim - 1)))
        network.head.bias.copy_((network.head.bias - logits.mean(1)) * scale)
    return build_package(destination, document, network, "CC0", (1, 1, *document["patch"]))


class PointEngine(OneNetwork):
    """Logits from each voxel's value alone, so that windows, blending and geometry must not change the answer.

    A voxel of value x gets the logits ``slopes * x + offsets``.
    """

    name = "point"
    device = "cpu"

    def __init__(self, slopes: tuple[float, ...] = (-8.0, 8.0, -30.0), offsets: tuple[float, ...] = (4.0, 0.0, 0.0)):
        self.slopes, self.offsets = np.float32(slopes), np.float32(offsets)
        self.calls = 0

    def logits(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls += 1
        extra = (1,) * (windows.ndim - 2)
        return windows * self.slopes.reshape(1, -1, *extra) + self.offsets.reshape(1, -1, *extra)


def with_metadata(package: Package, changes: Mapping[str, Any]) -> Package:
    """The package with other facts in memory; its files stay."""
    return replace(package, metadata=replace(package.metadata, **changes))


def turned_grid(shape: tuple[int, int, int], spacing: tuple[float, float, float], left_handed: bool = False) -> Grid:
    """Turned by about 20, 15 and 10 degrees, centred near the origin."""
    rotation = np.eye(3)
    for axis, angle in enumerate(np.deg2rad([20, 15, 10])):
        a, b = [n for n in range(3) if n != axis]
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        rotation = rotation @ turn
    if left_handed:
        rotation[:, 2] *= -1
    half = (np.array(shape[::-1]) - 1) / 2 * spacing
    return Grid(shape, spacing, tuple(-rotation @ half), tuple(rotation.ravel()))
