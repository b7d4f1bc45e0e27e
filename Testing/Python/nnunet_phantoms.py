"""Scans that code makes: a body with two structures in noise, for networks that nnU-Net itself was trained on.

Used by ``Testing/Bench/nnunet_vectors.py``, which writes ``Testing/Data/nnunet``, and by the tests that read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from SUREUncertaintyLib.core.volume import Grid, Volume

LPS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Phantom:
    """Channels (k, j, i) float32 and labels: 1 shell, 2 core."""

    channels: tuple[NDArray[np.float32], ...]
    labels: NDArray[np.uint8]
    spacing: tuple[float, float, float]

    def volumes(self, names: Sequence[str]) -> list[Volume]:
        """The channels as scans, x y z spacing."""
        grid = Grid(self.labels.shape, self.spacing, (3.0, -20.0, 5.0), LPS)
        return [Volume(array, grid, name) for array, name in zip(self.channels, names, strict=True)]


def make_phantom(
    seed: int, shape: tuple[int, int, int], spacing: tuple[float, float, float], channels: int = 1, border: int = 0
) -> Phantom:
    """A tilted ellipsoid with a core; ``border`` voxels of zero around everything, spacing along (x, y, z)."""
    random = np.random.default_rng(seed)
    mm = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing[::-1], strict=True)]
    z, y, x = np.meshgrid(*mm, indexing="ij")
    extent = min(n * s for n, s in zip(shape, spacing[::-1], strict=True))
    centre = random.uniform(-0.1, 0.1, 3) * extent
    a, b, c = random.uniform(0.26, 0.36, 3) * extent
    radius = np.sqrt(
        ((x - centre[0] + 0.3 * (y - centre[1])) / a) ** 2 + ((y - centre[1]) / b) ** 2 + ((z - centre[2]) / c) ** 2
    )
    labels = (radius < 1.0).astype(np.uint8) + (radius < 0.55)
    found = []
    for channel in range(channels):
        image = 100.0 + 20.0 * x / extent + np.choose(labels, (0.0, 60.0, 140.0 if channel == 0 else -40.0))
        found.append((image + random.normal(0.0, 8.0, shape)).astype(np.float32))
    wide = [(border, border)] * 3
    return Phantom(tuple(np.pad(image, wide) for image in found), np.pad(labels, wide).astype(np.uint8), spacing)


SCANS: dict[str, dict[str, dict[str, object]]] = {
    "plain": {
        "native": {"seed": 101, "shape": (26, 30, 28), "spacing": (1.0, 1.0, 1.0)},
        "resampled": {"seed": 102, "shape": (20, 36, 23), "spacing": (1.3, 0.8, 1.4)},
        "thick": {"seed": 103, "shape": (8, 30, 28), "spacing": (1.0, 1.0, 3.9)},
        "bordered": {"seed": 104, "shape": (24, 26, 28), "spacing": (1.0, 1.0, 1.0), "border": 7},
    },
    "regions": {
        "sideways": {"seed": 201, "shape": (30, 28, 10), "spacing": (3.5, 1.0, 1.0), "channels": 2, "border": 3},
        "resampled": {"seed": 202, "shape": (36, 25, 14), "spacing": (2.4, 1.2, 0.8), "channels": 2, "border": 3},
    },
    "slices": {
        "native": {"seed": 301, "shape": (9, 34, 30), "spacing": (1.0, 1.0, 4.0)},
        "resampled": {"seed": 302, "shape": (7, 26, 40), "spacing": (0.8, 1.25, 5.0)},
    },
}
"""What is segmented for every set of vectors, as arguments of ``make_phantom``."""
