"""A bright ball that beats in a dark scan, and a model whose answer on it is known voxel by voxel."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.core.volume_sequence import VolumeSequence
from SUREUncertaintyLib.packages.package import Package
from tiny import PointEngine, build_tiny

GRID = Grid((8, 40, 44), (1.5, 1.5, 6.0), (-10.0, 5.0, 30.0))
RADII_MM = (21.0, 19.0, 15.0, 13.0, 16.0, 20.0)
"""Of the ball in each frame: the first is end-diastole, the fourth end-systole."""


def inside(radius: float) -> NDArray[np.bool_]:
    """Voxels whose centre lies in the ball."""
    k, j, i = np.indices(GRID.shape)
    x, y, z = (i - 21.5) * 1.5, (j - 19.5) * 1.5, (k - 3.5) * 6.0
    return np.asarray(x**2 + y**2 + z**2 < radius**2)


def true_ml(radius: float) -> float:
    """Volume of the voxels in the ball, ml."""
    return float(inside(radius).sum()) * GRID.voxel_volume_mm3 / 1000


def beating_ball(radii: tuple[float, ...] = RADII_MM, step_ms: float = 60.0) -> VolumeSequence:
    """Grey values 0 outside and 100 inside, with a rim half as bright where the ball is 1.5 mm larger."""
    scans = [(60.0 * inside(r) + 40.0 * (inside(r + 1.5) & (r > 0))).astype(np.float32) for r in radii]
    for scan in scans:
        scan[0, 0, 0] = 20.0  # something to see where the ball has shrunk to nothing
    frames = tuple(Volume(scan, GRID, f"frame {n}") for n, scan in enumerate(scans))
    return VolumeSequence(frames, "ball", tuple(step_ms * n for n in range(len(radii))))


def heart_package(folder: Path, cavity: dict[str, Any] | None = None, **changes: Any) -> Package:
    """A network in 2D of two classes; ``cavity`` as in a package's metadata, with a factor of 1 if left out."""
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 8]}
    document: dict[str, Any] = {
        "network": {"name": "unet", "arguments": arguments},
        "orientation": "stack",
        "spacing": [1.5, 1.5, 0],
        "normalisation": {"kind": "range", "low": 0.0, "high": 100.0},
        "patch": [32, 32],
        "labels": [
            {"value": 0, "name": "background", "color": [0, 0, 0]},
            {"value": 1, "name": "cavity", "color": [0.9, 0.3, 0.2]},
        ],
        "uncertainty": {"primary": "vacuity", "kinds": ["vacuity", "entropy"], "threshold": 0.3},
        "cavity": cavity or {"value": 1, "outline_factor": 1.0},
    }
    return build_tiny(folder, **document | changes)


def grey_engine() -> PointEngine:
    """Cavity from a grey value of 0.5 on; a rim of 0.4 is background that cannot be ruled out."""
    return PointEngine(slopes=(-200.0, 200.0), offsets=(100.0, -75.0))
