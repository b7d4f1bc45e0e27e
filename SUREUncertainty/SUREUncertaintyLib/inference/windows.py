"""Sliding windows with Gaussian blending, streamed: memory does not grow with the number of windows.

Same windows, weights and padding as MONAI's ``SlidingWindowInferer(mode="gaussian")``: window starts advance by
``int(patch * (1 - overlap))`` and the last one is moved back to the border; weights are a Gaussian of sigma 0.125 x
patch, never below 1e-3; an image smaller than the patch is padded with zeros on both sides.

All rows of windows along k look alike, so the sum of weights is kept for one row only (patch_k planes), not for the
volume: plane z of the volume sums plane z - start of every row that covers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from .estimator import Estimator

Float32 = NDArray[np.float32]
Origin = tuple[int, int, int]
SIGMA = 0.125
LEAST_WEIGHT = 1e-3
SLICES_PER_BATCH = 8


@dataclass(frozen=True, eq=False)
class WindowPlan:
    """Where windows lie on an image of ``shape`` (k, j, i).

    Attributes:
        patch: window size (k, j, i); 1 along k for networks that work slice by slice.
        planar: the network is 2D and gets windows without the k axis.
        before: zeros added before the image on each axis; ``padded`` is the size with them.
        starts: first index of the windows along each axis of the padded image.
    """

    shape: tuple[int, int, int]
    patch: tuple[int, int, int]
    planar: bool
    padded: tuple[int, int, int]
    before: tuple[int, int, int]
    starts: tuple[tuple[int, ...], ...]

    @property
    def count(self) -> int:
        """Number of windows."""
        return int(np.prod([len(axis) for axis in self.starts]))

    @property
    def batch(self) -> int:
        """Windows a call of the network."""
        return SLICES_PER_BATCH if self.planar else 1

    def batches(self) -> Iterator[list[Origin]]:
        """Window origins in a fixed order, ``batch`` at a time."""
        origins = product(*self.starts)
        while batch := list(islice(origins, self.batch)):
            yield batch  # type: ignore[misc]


def plan_windows(
    shape: Sequence[int], patch: Sequence[int], overlap: float, multiple: Sequence[int] = (1, 1, 1)
) -> WindowPlan:
    """Cover an image of ``shape`` (k, j, i) with windows.

    Args:
        patch: (k, j, i), or (j, i) for a 2D network.
        overlap: share of a window that its neighbour repeats, 0 <= overlap < 1.
        multiple: (k, j, i); padded sizes and window starts are multiples of it, so that coarse grids of a network
            keep their place in every window. The patch must be one too.

    Raises:
        ValueError: an overlap or patch that makes no sense.
    """
    if not 0.0 <= overlap < 1.0:
        raise ValueError(f"overlap must be in [0, 1), got {overlap}")
    if len(patch) not in (2, 3) or min(patch) < 1:
        raise ValueError(f"patch must be 2 or 3 positive numbers, got {tuple(patch)}")
    size = tuple(int(n) for n in ((1, *patch) if len(patch) == 2 else patch))
    if any(p % m for p, m in zip(size, multiple, strict=True)):
        raise ValueError(f"the patch {size} is no multiple of {tuple(multiple)}")
    padded = tuple(-(-max(n, p) // m) * m for n, p, m in zip(shape, size, multiple, strict=True))
    before = tuple((p - n) // 2 for n, p in zip(shape, padded, strict=True))
    starts = tuple(window_starts(n, p, overlap, m) for n, p, m in zip(padded, size, multiple, strict=True))
    return WindowPlan(tuple(shape), size, len(patch) == 2, padded, before, starts)  # type: ignore[arg-type]


def window_starts(length: int, patch: int, overlap: float, multiple: int = 1) -> tuple[int, ...]:
    """First indices of windows of ``patch`` along an axis of ``length`` >= patch, all multiples of ``multiple``."""
    step = max(int(patch * (1.0 - overlap)) // multiple * multiple, multiple)
    last = length - patch
    return (*range(0, last, step), last)


def gaussian_weight(patch: Sequence[int]) -> Float32:
    """Importance of the voxels of one window, shape ``patch``, float32, 1 at its centre and at least 1e-3."""
    weight = np.ones((), dtype=np.float32)
    for length in patch:
        x = np.arange(length, dtype=np.float32) - np.float32((length - 1) / 2.0)
        weight = np.multiply.outer(weight, np.exp(x**2 / np.float32(-2.0 * (SIGMA * length) ** 2)))
    return np.maximum(weight, np.float32(LEAST_WEIGHT))


def blend_windows(
    image: Float32,
    patch: Sequence[int],
    overlap: float,
    estimator: Estimator,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Float32:
    """Run the estimator on every window and average what it says.

    Args:
        image: (channels, k, j, i) float32, normalised.
        patch, overlap: see ``plan_windows``.
        progress, is_cancelled: called at least once a batch of windows.

    Returns:
        (blended channels, k, j, i) float32. The only array of the image's size that is made here.

    Raises:
        Cancelled: ``is_cancelled`` said so.
    """
    plan = plan_windows(image.shape[1:], patch, overlap)
    padded = pad_image(image, plan)
    return blend(plan, lambda origins: estimator(cut_windows(padded, origins, plan)), progress, is_cancelled)


def blend(
    plan: WindowPlan,
    outputs_at: Callable[[list[Origin]], Float32],
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
    weight: Float32 | None = None,
) -> Float32:
    """Average over windows of whatever a call says about the windows at some origins, (B, channels, ...).

    Args:
        weight: importance of the voxels of a window, shape ``plan.patch``; a Gaussian when None.

    Returns, raises: as ``blend_windows``.
    """
    weight = gaussian_weight(plan.patch) if weight is None else weight
    total: Float32 | None = None
    done = 0
    for origins in plan.batches():
        raise_if_cancelled(is_cancelled)
        outputs = outputs_at(origins)
        if total is None:
            total = np.zeros((outputs.shape[1], *plan.padded), dtype=np.float32)
        for origin, output in zip(origins, outputs, strict=True):
            total[_slices(origin, plan)] += (output[:, None] if plan.planar else output) * weight
        done += len(origins)
        progress(done / plan.count, f"window {done} of {plan.count}")
    raise_if_cancelled(is_cancelled)
    assert total is not None  # a plan has at least one window
    _divide_by_weight(total, weight, plan)
    return total[(slice(None), *(slice(b, b + n) for b, n in zip(plan.before, plan.shape, strict=True)))]


def _slices(origin: Origin, plan: WindowPlan) -> tuple[slice, ...]:
    return (slice(None), *(slice(start, start + size) for start, size in zip(origin, plan.patch, strict=True)))


def pad_image(image: Float32, plan: WindowPlan, pad: str = "zero") -> Float32:
    """Zeros around an image (channels, k, j, i) smaller than the window; zero is the mean of a z-scored image.

    Args:
        pad: ``"edge"`` repeats the outermost voxels instead.
    """
    if plan.padded == plan.shape:
        return image
    widths = [(b, p - n - b) for n, p, b in zip(plan.shape, plan.padded, plan.before, strict=True)]
    return np.pad(image, [(0, 0), *widths], mode="edge" if pad == "edge" else "constant")


def cut_windows(padded: Float32, origins: list[Origin], plan: WindowPlan) -> Float32:
    """(B, channels, k, j, i), or (B, channels, j, i) for a 2D network."""
    windows = np.stack([padded[_slices(origin, plan)] for origin in origins])
    return windows[:, :, 0] if plan.planar else windows


def _divide_by_weight(total: Float32, weight: Float32, plan: WindowPlan) -> None:
    """Turn weighted sums into averages, plane by plane, in place."""
    rows, columns = plan.padded[1:]
    row = np.zeros((plan.patch[0], rows, columns), dtype=np.float32)
    for j, i in product(*plan.starts[1:]):
        row[:, j : j + plan.patch[1], i : i + plan.patch[2]] += weight
    for z in range(plan.padded[0]):
        total[:, z] /= sum(row[z - k] for k in plan.starts[0] if 0 <= z - k < plan.patch[0])
