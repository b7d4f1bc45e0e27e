"""Every pose of a template in a scan, on coarse voxels: all shifts at once by Fourier transforms, some turns and sizes.

The likeness of template and scan at a shift is their correlation coefficient over the template's mask (normalised
cross-correlation with a mask: Padfield, IEEE TIP 21(5):2706, 2012; here the scan has no mask).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from ..core.volume import Volume
from .template import Template
from .working import WORKING_MM

COARSE_MM = 8.0
"""Side of the voxels on which every pose is tried."""

PITCHES_DEG = (-40.0, -20.0, 0.0, 20.0, 40.0)
ASIDE_DEG = ((0.0, 0.0), (-25.0, 0.0), (25.0, 0.0), (0.0, -25.0), (0.0, 25.0))
"""Yaw and roll; a head on a scanner's table nods further than it turns."""

SIZES = (0.82, 0.94)
"""Times the template, an average that is larger than most people."""

_APART_MM = 20.0
_APART_DEG = 30.0
_PEAKS = 2
_BLUR = COARSE_MM / WORKING_MM / 2.355
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class Pose:
    """A pose of the template: its point x lies at ``matrix`` (x - middle) + ``place`` in the scan, RAS mm."""

    matrix: NDArray[np.float64]
    place: NDArray[np.float64]
    likeness: float


def likely_poses(template: Template, scan: Volume, count: int) -> list[Pose]:
    """The ``count`` most alike poses that differ from each other, the best first; ``scan`` is a working volume."""
    chosen: list[Pose] = []
    for pose in sorted(_candidates(template, scan), key=lambda pose: -pose.likeness):
        if all(_differ(pose, other) for other in chosen):
            chosen.append(pose)
    return chosen[:count]


def turn_matrix(pitch: float, yaw: float, roll: float) -> NDArray[np.float64]:
    """Nodding about the axis R, turning about S and tilting about A, degrees."""
    p, y, r = np.radians([pitch, yaw, roll])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    turn = np.array([[np.cos(y), -np.sin(y), 0], [np.sin(y), np.cos(y), 0], [0, 0, 1]])
    tilt = np.array([[np.cos(r), 0, np.sin(r)], [0, 1, 0], [-np.sin(r), 0, np.cos(r)]])
    return np.asarray(nod @ turn @ tilt)


def _candidates(template: Template, scan: Volume) -> Iterator[Pose]:
    image = _coarse(scan.array)
    first = scan.grid.ijk_to_ras[:3, 3] + (COARSE_MM - WORKING_MM) / 2
    radius = int(np.ceil(template.reach_mm * max(SIZES) / COARSE_MM))
    finder = _Finder(image, radius)
    blurred = ndimage.gaussian_filter(template.volume.array, _BLUR, mode="constant")
    share = ndimage.gaussian_filter(template.mask.astype(np.float32), _BLUR, mode="constant")
    for size, pitch, (yaw, roll) in product(SIZES, PITCHES_DEG, ASIDE_DEG):
        matrix = size * turn_matrix(pitch, yaw, roll)
        at = _turned_indices(template, matrix, radius)
        values, inside = (ndimage.map_coordinates(part, at, order=1, mode="constant") for part in (blurred, share))
        likeness = finder.likeness(values, inside > 0.5)
        for k, j, i in _tops(likeness):
            yield Pose(matrix, first + COARSE_MM * np.array([i, j, k]), float(likeness[k, j, i]))


class _Finder:
    """Correlates kernels of one size with one image (k, j, i) at every shift of the kernel's middle over it."""

    def __init__(self, image: NDArray[np.float32], radius: int) -> None:
        self._size, self._radius = image.shape, radius
        self._shape = [fft.next_fast_len(n + 2 * radius, real=True) for n in image.shape]
        self._image, self._squared = (fft.rfftn(part, self._shape) for part in (image, image * image))

    def likeness(self, values: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        count = float(np.count_nonzero(inside))
        centred = np.where(inside, values - values[inside].mean(), np.float32(0.0))
        mask, kernel = (fft.rfftn(part, self._shape) for part in (inside.astype(np.float32), centred))
        spread = self._correlated(self._squared, mask) - self._correlated(self._image, mask) ** 2 / count
        scale = float(np.sqrt((centred**2).sum())) * np.sqrt(np.maximum(spread, _LEAST_SPREAD * count))
        return np.asarray(self._correlated(self._image, kernel) / scale)

    def _correlated(self, image: NDArray[np.complex64], kernel: NDArray[np.complex64]) -> NDArray[np.float32]:
        everywhere = np.roll(fft.irfftn(image * np.conj(kernel), self._shape), (self._radius,) * 3, axis=(0, 1, 2))
        return np.asarray(everywhere[tuple(slice(0, n) for n in self._size)])


def _coarse(array: NDArray[np.float32]) -> NDArray[np.float32]:
    blurred = ndimage.gaussian_filter(array, _BLUR, mode="constant")
    step = COARSE_MM / WORKING_MM
    axes = [np.arange(max(1, int(n / step))) * step + (step - 1) / 2 for n in array.shape]
    at = np.stack(np.meshgrid(*axes, indexing="ij"))
    return np.asarray(ndimage.map_coordinates(blurred, at, order=1, mode="nearest"), np.float32)


def _turned_indices(template: Template, matrix: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """(3, n, n, n) indices (k, j, i) of the template's voxels that lie on coarse voxels about its middle in a pose."""
    steps = np.arange(-radius, radius + 1) * COARSE_MM
    z, y, x = np.meshgrid(steps, steps, steps, indexing="ij")
    points = np.linalg.inv(matrix) @ np.stack([x.ravel(), y.ravel(), z.ravel()]) + template.middle[:, None]
    to_index = np.linalg.inv(template.volume.grid.ijk_to_ras)
    return np.asarray((to_index[:3, :3] @ points + to_index[:3, 3:])[::-1].reshape(3, *x.shape))


def _tops(likeness: NDArray[np.float32]) -> list[tuple[int, int, int]]:
    width = 2 * round(_APART_MM / COARSE_MM) + 1
    places = np.argwhere(likeness == ndimage.maximum_filter(likeness, size=width, mode="constant", cval=-1.0))
    best = sorted(places.tolist(), key=lambda place: -likeness[tuple(place)])[:_PEAKS]
    return [(k, j, i) for k, j, i in best]


def _differ(one: Pose, other: Pose) -> bool:
    turn = one.matrix @ np.linalg.inv(other.matrix)
    cosine = (np.trace(turn / np.cbrt(np.linalg.det(turn))) - 1) / 2
    apart = float(np.linalg.norm(one.place - other.place))
    return apart > _APART_MM or float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))) > _APART_DEG
