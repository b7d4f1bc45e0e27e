"""Probability maps that a network has saved: read, brought onto the scan, and refused where they are none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core.errors import InputError
from ..core.geometry import reorient_grid
from ..core.resampling import resample
from ..core.volume import Grid, Volume
from ..files.class_channels import read_class_channels
from .grid_match import on_scan

Float32 = NDArray[np.float32]

OUTSIDE = 1e-3
"""How far below 0 or above 1 a probability may lie by rounding."""

READER_AXES = "RAS"
"""Order of the axes in an .npz whose scan a reader of nnU-Net has reoriented; its label map is turned back."""

SUM = 0.01
"""How far from 1 the classes of a voxel may add up: half precision, and interpolation between voxels."""

LOGITS = (
    "They look like raw outputs of a network (logits): save them after the softmax or sigmoid; nnU-Net does so with "
    "--save_probabilities."
)
LOGARITHMS = "They look like logarithms of probabilities: save their exponentials."
SCALED = (
    "They look like percent or bytes, which are divided by 100 or 255 first, or like label values: label maps are "
    "given with --masks."
)


def read_probabilities(path: Path, scan: Volume, stored: Volume | None, regions: bool) -> Float32:
    """Probabilities (C, k, j, i) on the scan's voxels.

    A file with one volume holds the probability of one structure, and its background is made: C = 2.

    Args:
        stored: the label map that was saved with an .npz, on whose voxels its array lies, in their order or in that
            of a reader that turns scans first; on the scan's when None.
        regions: whether channels may overlap, so that they need not add up to 1.

    Raises:
        InputError: unreadable, on other voxels, not between 0 and 1, or not adding up to 1.
    """
    grids = (scan.grid,) if stored is None else (stored.grid, reorient_grid(stored.grid, READER_AXES))
    channels = read_class_channels(path, [grid.shape for grid in grids])
    check_values(path.name, channels.array)
    grid = channels.grid or grids[0]
    if stored is not None and channels.grid is None:
        grid = _grid_that_fits(channels.array, stored, grids, regions)
    probability = _on_scan(channels.array, grid, scan, path.name)
    if len(probability) == 1 and not regions:
        check_not_a_mask(path.name, probability)
        probability = np.concatenate([1.0 - probability, probability])
    np.clip(probability, 0.0, 1.0, out=probability)
    if not regions:
        fill_outside(probability)
        check_sums(path.name, probability)
    return probability


def fill_outside(probability: Float32) -> None:
    """Make voxels in which every class (C, ...) is 0 background, where they are all that lies outside of a box.

    nnU-Net leaves them so outside of the box that its network sees, in version 1 and early in version 2; later versions
    write background there themselves. Zeros of another shape stay, and with them the classes do not add up to 1: there
    the channel of the background is missing.
    """
    seen = np.asarray(probability.any(axis=0))
    boxes = ndimage.find_objects(seen.astype(np.uint8))
    if boxes and seen[boxes[0]].all():
        probability[0][~seen] = 1.0


def check_values(name: str, array: NDArray[Any]) -> None:
    """Raise ``InputError`` for what cannot be probabilities; channels are looked at one by one to save memory."""
    if array.dtype.kind not in "fiub" or not array.size:
        raise InputError(f"The file {name} holds no numbers. Probabilities between 0 and 1 are expected.")
    bad = sum(int(np.count_nonzero(~np.isfinite(channel))) for channel in array)
    if bad:
        raise InputError(
            f"{bad} values of {name} are no numbers (NaN or infinite). Probabilities between 0 and 1 are expected: "
            "run the network again, and check its input."
        )
    low, high = float(array.min()), float(array.max())
    if low < -OUTSIDE or high > 1.0 + OUTSIDE:
        raise InputError(
            f"The values of {name} run from {low:.4g} to {high:.4g}, but probabilities lie between 0 and 1. "
            f"{_what_they_are(low, high)}"
        )


def check_sums(name: str, probability: Float32) -> None:
    """Raise ``InputError`` unless the classes of every voxel (C, ...) add up to 1."""
    total = probability.sum(axis=0)
    off = np.abs(total - 1.0) > SUM
    if not off.any():
        return
    low, high = float(total.min()), float(total.max())
    hint = " Is the channel of the background missing?" if high <= 1.0 + SUM else ""
    raise InputError(
        f"In {np.count_nonzero(off)} of {total.size} voxels of {name} the {len(probability)} classes do not add up to "
        f"1 but to {low:.3g} to {high:.3g}. Probabilities of classes that exclude each other are expected, background "
        f"first.{hint} Regions that may overlap, each with a sigmoid of its own, need --regions or the dataset.json."
    )


def check_not_a_mask(name: str, probability: NDArray[Any]) -> None:
    """Raise ``InputError`` for a single volume of nothing but 0 and 1."""
    if bool(np.isin(probability, (0.0, 1.0)).all()):
        raise InputError(
            f"The file {name} holds nothing but 0 and 1: an outline, which says nothing about its uncertainty. "
            "Give two or more outlines with --masks."
        )


def _on_scan(array: NDArray[Any], grid: Grid, scan: Volume, name: str) -> Float32:
    """Channels (C, k, j, i) in the order of the scan's voxels as float32; not copied where they are that already."""
    if not grid.matches(scan.grid):
        array = np.stack([on_scan(Volume(channel, grid, name), scan).array for channel in array])
    return np.ascontiguousarray(array, dtype=np.float32)


def _grid_that_fits(array: NDArray[Any], stored: Volume, grids: Sequence[Grid], regions: bool) -> Grid:
    """Of the grids with the array's shape the one on which it marks most of what the stored label map marks."""
    marked = (array > 0.5).any(axis=0) if regions else array.argmax(axis=0) > 0
    fitting = [grid for grid in grids if grid.shape == marked.shape]
    saved = Volume((stored.array > 0).astype(np.uint8), stored.grid)
    found = [int(np.count_nonzero(marked & (resample(saved, grid, "nearest").array > 0))) for grid in fitting]
    return fitting[int(np.argmax(found))]


def _what_they_are(low: float, high: float) -> str:
    if low < 0:
        return LOGARITHMS if high <= OUTSIDE else LOGITS
    return SCALED if high <= 255 else LOGITS
