"""Small patches of noise put into an image: where they go, and what they look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .settings import SureSettings

REFERENCE_SPREAD = 0.3


def patch_shape(side: float, spacing: Sequence[float] | None, dims: int) -> tuple[int, ...]:
    """Odd voxel counts nearest to ``side`` mm along each axis, at least 1; ``side`` is pixels without spacing."""
    steps = [1.0] * dims if spacing is None else spacing
    return tuple(max(1, 2 * round((side / step - 1.0) / 2.0) + 1) for step in steps)


def place_patches(
    label: NDArray[np.integer],
    hard: NDArray[np.bool_],
    near: NDArray[np.bool_],
    classes: int,
    shape: Sequence[int],
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Centres of up to ``count`` patches a class, none outside the image and no two overlapping; (n, dims).

    Centres of class c are hard voxels of that class in random order; those of the background also lie near a boundary.
    What is missing is filled up with free places of any class.
    """
    free = _inside_image(label.shape, shape)
    centres: list[tuple[int, ...]] = []
    for value in range(classes):
        wanted = hard & (label == value) & (near if value == 0 else True)
        centres += _take(wanted, free, shape, count, rng)
    centres += _take(np.ones_like(free), free, shape, classes * count - len(centres), rng)
    return np.array(centres, dtype=np.int64).reshape(-1, label.ndim)


def _inside_image(image: Sequence[int], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Where a centre keeps its whole patch inside the image."""
    free = np.zeros(tuple(image), dtype=bool)
    free[tuple(slice(side // 2, length - side // 2) for side, length in zip(shape, image, strict=True))] = True
    return free


def _take(
    wanted: NDArray[np.bool_],
    free: NDArray[np.bool_],
    shape: Sequence[int],
    count: int,
    rng: np.random.Generator,
) -> list[tuple[int, ...]]:
    """Accept up to ``count`` candidates; each one blocks the centres whose patches would overlap its own."""
    candidates = rng.permutation(np.flatnonzero(wanted & free))
    taken: list[tuple[int, ...]] = []
    for flat in _not_blocked(candidates, free):
        if len(taken) == count:
            break
        centre = tuple(int(n) for n in np.unravel_index(flat, free.shape))
        free[tuple(slice(max(n - s + 1, 0), n + s) for n, s in zip(centre, shape, strict=True))] = False
        taken.append(centre)
    return taken


def _not_blocked(candidates: NDArray[np.int64], free: NDArray[np.bool_]) -> Iterator[int]:
    """Candidates in order that are still free when their turn comes."""
    flat = free.reshape(-1)
    while candidates.size:
        candidates = candidates[flat[candidates]]
        if not candidates.size:
            return
        yield int(candidates[0])
        candidates = candidates[1:]


def noisy_image(image: Tensor, centres: NDArray[np.int64], tiles: Tensor, level: float, kind: str = "spread") -> Tensor:
    """A copy of one image (channels, ...) with noise in every patch.

    Args:
        tiles: (n, channels, *patch) unit-normal, the same for every level.
        level: spread of the noise; with ``kind="mean"`` its mean, with spread 0.3 (reference).
    """
    noisy = image.clone()
    for centre, tile in zip(centres, tiles, strict=True):
        sides = tile.shape[1:]
        box = tuple(slice(int(c) - s // 2, int(c) - s // 2 + s) for c, s in zip(centre, sides, strict=True))
        noise = level * tile if kind == "spread" else level + REFERENCE_SPREAD * tile
        noisy[(slice(None), *box)] += noise
    return noisy


def draw_tiles(count: int, channels: int, shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Unit-normal tiles (count, channels, *shape)."""
    return torch.randn((count, channels, *shape), generator=generator)


def sides_of(settings: SureSettings, spacing: Sequence[float] | None, dims: int) -> tuple[int, ...]:
    """Voxels of a patch along each axis for these settings."""
    return patch_shape(settings.patch_px if spacing is None else settings.patch_mm, spacing, dims)
