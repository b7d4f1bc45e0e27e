"""Scans for the locator's rates: heads in random poses, fields and contrasts, and what must be refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from SUREUncertaintyLib.core.geometry import crop_grid
from SUREUncertaintyLib.core.phantom import make_phantom
from SUREUncertaintyLib.core.resampling import model_grid, resample
from SUREUncertaintyLib.core.volume import LPS_TO_RAS, Grid, Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.location.search import turn_matrix

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha")
SPACINGS = ((1.0, 1.0, 1.0), (1.2, 1.2, 1.2), (2.0, 2.0, 2.0), (1.0, 1.0, 5.0), (1.0, 5.0, 1.0), (5.0, 1.0, 1.0))
PITCH_DEG, ASIDE_DEG = 30.0, 15.0
FLIPS = {"upside-down": (0,), "back-to-front": (1,), "both": (0, 1)}
TURNS = {"lying-on-an-ear": (2, 1, 0), "slices-along-the-nose": (1, 0, 2)}


@dataclass(frozen=True)
class Posed:
    """A scan made from another one; ``place`` carries a point (N, 3 RAS mm) of the first over to it."""

    scan: Volume
    turn: NDArray[np.float64]
    shift: NDArray[np.float64]
    how: dict[str, Any]

    def place(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(points @ self.turn.T + self.shift)


def scans_in(folder: Path) -> dict[str, Path]:
    """Every image of a folder by its name without the suffix."""
    files = [path for path in sorted(folder.iterdir()) if path.name.lower().endswith(SUFFIXES)]
    return {path.name.split(".")[0]: path for path in files}


def pose(scan: Volume, rng: np.random.Generator, keep: NDArray[np.float64]) -> Posed:
    """A head as a scanner may bring it: turned, elsewhere, other voxels, a cut field of view, another contrast.

    ``keep``: (N, 3) RAS mm that stay within the field of view with 25 mm around them.
    """
    pitch = rng.uniform(-PITCH_DEG, PITCH_DEG)
    yaw, roll = rng.uniform(-ASIDE_DEG, ASIDE_DEG, 2)
    turn, away = turn_matrix(pitch, yaw, roll), rng.uniform(-60.0, 60.0, 3)
    middle = (scan.grid.ijk_to_ras @ [*((n - 1) / 2 for n in scan.grid.shape[::-1]), 1.0])[:3]
    moved = Volume(scan.array, moved_grid(scan.grid, turn, middle + away - turn @ middle), scan.name)
    posed = Posed(moved, turn, middle + away - turn @ middle, {})
    spacing = SPACINGS[rng.integers(len(SPACINGS))]
    straight = model_grid(
        Grid(scan.grid.shape, scan.grid.spacing, tuple(LPS_TO_RAS[:3, :3] @ (middle + away) - _half(scan.grid))),
        "RAS",
        spacing,
    )  # type: ignore[arg-type]
    cut = _cut(straight, posed.place(keep), rng)
    seen = resample(moved, cut).array.astype(np.float32)
    array, how = _other_contrast(seen, rng)
    how |= {"pitch": pitch, "yaw": yaw, "roll": roll, "spacing": spacing, "fov_mm": cut.extent_mm}
    return Posed(Volume(array, cut, scan.name), posed.turn, posed.shift, how)


def moved_grid(grid: Grid, turn: NDArray[np.float64], shift: NDArray[np.float64]) -> Grid:
    """The grid of a patient who moved: RAS point x lies at ``turn`` x + ``shift``."""
    flip = LPS_TO_RAS[:3, :3]
    direction = flip @ turn @ flip @ np.reshape(grid.direction, (3, 3))
    origin = flip @ (turn @ (flip @ np.asarray(grid.origin)) + shift)
    return Grid(grid.shape, grid.spacing, tuple(origin.tolist()), tuple(direction.ravel().tolist()))


def _half(grid: Grid) -> NDArray[np.float64]:
    return np.array([(n - 1) / 2 * mm for n, mm in zip(grid.shape[::-1], grid.spacing, strict=True)])


def _cut(grid: Grid, keep: NDArray[np.float64], rng: np.random.Generator) -> Grid:
    """Up to a quarter of the field of view gone at some sides, but not what is to be kept."""
    matrix = np.linalg.inv(grid.ijk_to_ras)
    index = keep @ matrix[:3, :3].T + matrix[:3, 3]
    margin = 25.0 / np.asarray(grid.spacing)
    size = np.array(grid.shape[::-1])
    first = np.minimum(rng.uniform(0, 0.25, 3) * rng.integers(0, 2, 3) * size, index.min(axis=0) - margin)
    last = np.maximum(size - rng.uniform(0, 0.25, 3) * rng.integers(0, 2, 3) * size, index.max(axis=0) + margin)
    low = np.floor(first).astype(int)
    count = np.ceil(last).astype(int) - low
    return crop_grid(grid, tuple(low.tolist()), tuple(count.tolist()))  # type: ignore[arg-type]


def _other_contrast(array: NDArray[np.float32], rng: np.random.Generator) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Gamma, a smooth bias field and Rician noise."""
    gamma, noise = float(np.exp(rng.uniform(-0.6, 0.6))), float(rng.uniform(0.0, 0.08))
    top = float(np.percentile(array, 99.9)) or 1.0
    plain = np.clip(array / top, 0.0, 1.5) ** gamma
    coarse = rng.normal(0.0, 1.0, (4, 4, 4))
    field = ndimage.zoom(coarse, [n / 4 for n in array.shape], order=3, grid_mode=True, mode="nearest")
    strength = float(rng.uniform(0.0, 0.5))
    plain = plain * np.exp(strength * field / max(1e-6, float(np.abs(field).max())))
    real, imaginary = (rng.normal(0.0, noise, array.shape) for _ in range(2))
    noisy = np.hypot(plain + real, imaginary) if noise else plain
    return (1000 * noisy).astype(np.float32), {"gamma": gamma, "noise": noise, "bias": strength}


def damaged_heads(scan: Volume, boxes: NDArray[np.float64]) -> Iterator[tuple[str, Volume]]:
    """Heads that must be refused: stored in a wrong orientation, or without what is searched.

    ``boxes``: (2, 3) RAS mm of the middles of the left and the right box.
    """
    straight = resample(scan, model_grid(scan.grid, "RAS"))
    array, grid = np.asarray(straight.array, np.float32), straight.grid
    for name, axes in FLIPS.items():
        yield name, straight.with_array(np.ascontiguousarray(np.flip(array, axes)))
    for name, order in TURNS.items():
        turned = np.ascontiguousarray(array.transpose(order))
        spacing = tuple(grid.spacing_kji[axis] for axis in order)[::-1]
        yield name, Volume(turned, Grid(turned.shape, spacing, grid.origin, grid.direction))
    matrix = np.linalg.inv(grid.ijk_to_ras)
    index = boxes @ matrix[:3, :3].T + matrix[:3, 3]
    above = int(index[:, 2].max() + 22.0 / grid.spacing[2])
    yield "upper-half", _part(straight, slice(above, None), slice(None))
    yield "left-half", _part(straight, slice(None), slice(0, int(index[:, 0].mean())))
    emptied = array.copy()
    emptied[:above] = 0.0
    yield "lobes-emptied", straight.with_array(emptied)


def _part(scan: Volume, along_k: slice, along_i: slice) -> Volume:
    k, i = along_k.indices(scan.grid.shape[0]), along_i.indices(scan.grid.shape[2])
    grid = crop_grid(scan.grid, (i[0], 0, k[0]), (i[1] - i[0], scan.grid.shape[1], k[1] - k[0]))
    return Volume(np.ascontiguousarray(scan.array[along_k, :, along_i]), grid, scan.name)


def made_up(rng: np.random.Generator) -> Iterator[tuple[str, Volume]]:
    """Phantoms: this project's, a ball, a shell around a ball, smooth noise in a ball, noise alone."""
    yield "phantom", make_phantom()
    grid = Grid((90, 110, 90), (2.0, 2.0, 2.0), (90.0, 110.0, -90.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))
    k, j, i = np.ogrid[-45:45, -55:55, -45:45]
    away = np.sqrt((k / 36) ** 2 + (j / 44) ** 2 + (i / 35) ** 2)
    noise = rng.normal(0.0, 1.0, grid.shape)
    smooth = ndimage.gaussian_filter(noise, 3.0)
    smooth /= smooth.std()
    shapes = {
        "ball": (away < 1) * 100.0 + noise,
        "shell": ((away < 0.9) * 80.0 + ((away > 1.0) & (away < 1.15)) * 150.0) + 3 * noise,
        "texture": (away < 1) * (100.0 + 25.0 * smooth) + noise,
        "noise": 100.0 + 20.0 * noise,
        "smooth-noise": 100.0 + 30.0 * smooth,
    }
    for name, array in shapes.items():
        yield name, Volume(np.clip(array, 0.0, None).astype(np.float32), grid, name)


def read_all(folder: Path) -> Iterator[tuple[str, Volume]]:
    """Every scan of a folder."""
    for name, path in scans_in(folder).items():
        yield name, read_volume(path)
