"""Windows that are spread evenly over an image, and their logits blended with a Gaussian, as nnU-Net does it.

Unlike ``inference.windows`` neighbours are equally far apart, the Gaussian is cut off at four sigma and centred on
voxel n // 2, and raw outputs are averaged instead of probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ...core.progress import IsCancelled, Progress, raise_if_cancelled

Float32 = NDArray[np.float32]
Shape = tuple[int, int, int]
SIGMA = 1.0 / 8.0
PEAK = 10.0
SLICES_PER_BATCH = 8


@dataclass(frozen=True)
class EvenTiles:
    """Where windows lie on an image.

    Attributes:
        shape: of the image; ``padded`` with zeros around it where it is smaller than a window, ``before`` in front.
        patch: window; 1 along the first axis for networks that work slice by slice (``planar``).
        starts: first index of the windows along each axis of the padded image.
    """

    shape: Shape
    padded: Shape
    before: Shape
    patch: Shape
    planar: bool
    starts: tuple[tuple[int, ...], ...]

    @property
    def count(self) -> int:
        """Number of windows."""
        return math.prod(len(axis) for axis in self.starts)

    def batches(self) -> Iterator[list[Shape]]:
        """Window origins, as many at a time as the network takes."""
        origins = product(*self.starts)
        while batch := list(islice(origins, SLICES_PER_BATCH if self.planar else 1)):
            yield batch  # type: ignore[misc]


def spread_tiles(shape: Shape, patch: tuple[int, ...], step: float) -> EvenTiles:
    """Cover an image with windows whose neighbours are at most ``step`` of a window apart."""
    planar = len(patch) == 2
    size: Shape = (1, *patch) if planar else patch  # type: ignore[assignment]
    padded = tuple(max(n, p) for n, p in zip(shape, size, strict=True))
    before = tuple((m - n) // 2 for n, m in zip(shape, padded, strict=True))
    starts = tuple(even_starts(n, p, step) for n, p in zip(padded, size, strict=True))
    if planar:
        starts = (tuple(range(padded[0])), *starts[1:])
    return EvenTiles(shape, padded, before, size, planar, starts)  # type: ignore[arg-type]


def even_starts(length: int, patch: int, step: float) -> tuple[int, ...]:
    """First indices of windows of ``patch`` along an axis, evenly from the first voxel to the last."""
    count = math.ceil((length - patch) / (patch * step)) + 1
    apart = (length - patch) / (count - 1) if count > 1 else 0.0
    return tuple(int(np.round(apart * number)) for number in range(count))


@lru_cache(maxsize=4)
def tile_weight(patch: Shape, planar: bool) -> Float32:
    """Importance of a window's voxels, 10 in its centre, never 0: in float16 as nnU-Net holds it."""
    size = patch[1:] if planar else patch
    spike = np.zeros(size)
    spike[tuple(n // 2 for n in size)] = 1.0
    bell = gaussian_filter(spike, [n * SIGMA for n in size], mode="constant")
    weight = (bell * (PEAK / bell.max())).astype(np.float16)
    weight[weight == 0] = weight[weight > 0].min()
    return weight.astype(np.float32).reshape(patch)


def _windows(padded: Float32, places: list[tuple[slice, ...]], planar: bool) -> Float32:
    """(B, channels, ...) of the places; the last slices are filled up to a whole batch: engines keep to one shape."""
    windows = np.stack([padded[(slice(None), *place)] for place in places])
    if not planar:
        return windows
    missing = SLICES_PER_BATCH - len(places)
    return np.concatenate([windows, np.repeat(windows[-1:], missing, axis=0)])[:, :, 0]


def blend_tiles(
    image: Float32,
    tiles: EvenTiles,
    logits_of: Callable[[Float32], Float32],
    progress: Progress,
    is_cancelled: IsCancelled,
) -> Float32:
    """Averaged logits (C, ...) of an image (channels, ...).

    Args:
        logits_of: windows (B, channels, ...) to logits (B, C, ...), with two spatial axes for a planar network.
        progress, is_cancelled: called at least once a batch of windows.

    Raises:
        Cancelled: ``is_cancelled`` said so.
    """
    widths = [(b, m - n - b) for n, m, b in zip(tiles.shape, tiles.padded, tiles.before, strict=True)]
    padded = np.pad(image, [(0, 0), *widths]) if tiles.padded != tiles.shape else image
    weight, weights = tile_weight(tiles.patch, tiles.planar), np.zeros(tiles.padded, dtype=np.float32)
    total: Float32 | None = None
    done = 0
    for origins in tiles.batches():
        raise_if_cancelled(is_cancelled)
        places = [tuple(slice(a, a + p) for a, p in zip(origin, tiles.patch, strict=True)) for origin in origins]
        logits = logits_of(_windows(padded, places, tiles.planar))[: len(places)]
        if total is None:
            total = np.zeros((logits.shape[1], *tiles.padded), dtype=np.float32)
        for place, output in zip(places, logits, strict=True):
            total[(slice(None), *place)] += (output[:, None] if tiles.planar else output) * weight
            weights[place] += weight
        done += len(origins)
        progress(done / tiles.count, f"window {done} of {tiles.count}")
    assert total is not None  # there is at least one window
    total /= weights
    return total[(slice(None), *(slice(b, b + n) for b, n in zip(tiles.before, tiles.shape, strict=True)))]
