"""To the spacing that a network was trained at, and its outputs back, as nnU-Net or MONAI resample.

nnU-Net: voxels are boxes, and both arrays cover the same field of view. Where voxels are much longer along one axis,
planes across it are resampled on their own and the axis apart (*separate z*). The image goes through scikit-image's
splines. MONAI: the middles of the first voxels coincide, and the image is interpolated linearly.

Outputs come back by linear interpolation, slab by slab, which is separable and needs no copy of a whole channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, zoom

from ...packages.pipeline import Pipeline, Resampling
from .axes import Box

Float32 = NDArray[np.float32]
Spacing = tuple[float, float, float]
Shape = tuple[int, int, int]


SAME_SPACING = 1e-3
"""MONAI leaves an image alone whose spacings are all this near to the wanted ones, in mm or as a share."""


def resampled_shape(shape: Sequence[int], old: Spacing, new: Spacing, align: str = "edges") -> Shape:
    """Voxels along each axis at the new spacing, rounded half to even."""
    if align == "first":
        a, b, c = (
            round((count - 1) * before / after + 1) for before, after, count in zip(old, new, shape, strict=True)
        )
        return (a, b, c)
    if align == "ends":  # spacings are read from NIfTI headers there, which hold float32
        old = as_float32(old)
    a, b, c = (round(before / after * count) for before, after, count in zip(old, new, shape, strict=True))
    return (a, b, c)


def as_float32(spacing: Spacing) -> Spacing:
    """Each number rounded to float32."""
    a, b, c = (float(np.float32(value)) for value in spacing)
    return (a, b, c)


def wanted_spacing(stored: Spacing, pipeline: Pipeline, shape: Sequence[int]) -> Spacing:
    """The network's spacing for an image of ``shape``; what a pipeline leaves alone keeps the scan's own."""
    if not pipeline.spacing:
        return stored
    a, b, c = (stored[0], *pipeline.spacing) if len(pipeline.spacing) == 2 else pipeline.spacing
    settings = pipeline.image
    if settings.keep:
        low, high = settings.keep
        a, b, c = (
            own if low * new - SAME_SPACING <= own <= high * new + SAME_SPACING else new
            for own, new in zip(stored, (a, b, c), strict=True)
        )
    if settings.align == "first" and _is_unchanged(stored, (a, b, c), shape):
        return stored
    return (a, b, c)


def steps_between(shape: Sequence[int], onto: Sequence[int], old: Spacing, new: Spacing, align: str) -> Spacing:
    """Voxels of an image of ``shape`` from one voxel of its resampled copy to the next, along each axis."""
    if align == "ends":
        a, b, c = ((n - 1) / (m - 1) if m > 1 else 1.0 for n, m in zip(shape, onto, strict=True))
    else:
        a, b, c = (after / before for before, after in zip(old, new, strict=True))
    return (a, b, c)


def _is_unchanged(stored: Spacing, wanted: Spacing, shape: Sequence[int]) -> bool:
    pairs = list(zip(stored, wanted, strict=True))
    near = all(abs(new - old) <= SAME_SPACING for old, new in pairs)
    near = near or all(abs(new / old - 1.0) <= SAME_SPACING for old, new in pairs)
    return near and resampled_shape(shape, stored, wanted, "first") == tuple(shape)


def separate_axis(settings: Resampling, current: Spacing, new: Spacing) -> int | None:
    """The axis that is resampled apart, None when there is none.

    It is the longest of the current spacing if that is thick, else of the new one; where two axes are equally long
    none is apart.
    """
    if settings.separate_z is False:
        return None
    spacing = current
    if settings.separate_z is None and not _is_thick(current, settings.threshold):
        if not _is_thick(new, settings.threshold):
            return None
        spacing = new
    longest = [axis for axis, value in enumerate(spacing) if max(spacing) / value == 1]
    return longest[0] if len(longest) == 1 else None


def resample_image(
    image: Float32,
    shape: Shape,
    settings: Resampling,
    axis: int | None,
    steps: Spacing = (1.0, 1.0, 1.0),
    transpose: Shape = (0, 1, 2),
) -> Float32:
    """One channel to ``shape``; its values never leave their range.

    Args:
        axis: the one that is resampled apart.
        steps: voxels of the image from one voxel of the result to the next, where the first ones coincide.
        transpose: which of the axes (k, j, i) every axis of the image is.
    """
    if settings.align == "ends":
        return _to_ends(image, shape, settings, transpose)
    if settings.align == "first":
        return _from_first(image, shape, settings.order, steps)
    if image.shape == shape:
        return image
    wide = image.astype(np.float64)
    if axis is None:
        return _spline(wide, shape, settings.order).astype(np.float32)
    flat = tuple(length for n, length in enumerate(shape) if n != axis)
    planes = [_spline(plane, flat, settings.order) for plane in np.moveaxis(wide, axis, 0)]
    return np.moveaxis(_along_first(np.stack(planes), shape[axis], settings.order_z), 0, axis).astype(np.float32)


Taps = tuple[NDArray[np.intp], NDArray[np.intp], Float32]
"""For every voxel of the target the two source voxels around it and the weight of the second."""


class BackResampler:
    """Brings channels from the network's grid to the voxels that it was made from, slab by slab along the first axis.

    Attributes:
        shape: of the network's grid; target: of the voxels.
    """

    def __init__(
        self, taps: Sequence[Taps], shape: Shape, fading: Sequence[Float32 | None] = (None, None, None)
    ) -> None:
        """``fading``: along each axis a factor of every voxel of the target, None for 1 everywhere."""
        self._taps, self._fading = tuple(taps), tuple(fading)
        self.shape = shape
        a, b, c = (len(lower) for lower, _, _ in taps)
        self.target = (a, b, c)

    @classmethod
    def covering(cls, shape: Shape, target: Shape, settings: Resampling, axis: int | None) -> BackResampler:
        """For grids that cover the same field of view; ``axis``: the one that is apart."""
        orders = [settings.order_z if n == axis else settings.order for n in range(3)]
        return cls([_taps(n, m, order) for n, m, order in zip(shape, target, orders, strict=True)], shape)

    @classmethod
    def from_first(
        cls, shape: Shape, target: Shape, settings: Resampling, steps: Spacing, box: Box | None = None
    ) -> tuple[BackResampler, Box]:
        """For grids whose first voxels coincide (and maybe their last ones).

        Outside of the box that the network saw outputs count as 0, as MONAI pads them: they fade from its last voxel to
        the next, and beyond nothing comes back.

        Args:
            shape: of the network's grid.
            target: of the voxels that it was made from.
            steps: voxels of the network's grid from one voxel of the target to the next.
            box: of the network's grid, which the outputs are for; None for all of it.

        Returns:
            the resampler for outputs of the box, and the part of the target that it fills.
        """
        parts = box or tuple(slice(0, n) for n in shape)
        found = [
            _taps_within(n, m, step, settings, part)
            for n, m, step, part in zip(shape, target, steps, parts, strict=True)
        ]
        a, b, c = (part.stop - part.start for part in parts)
        x, y, z = (where for _, _, where in found)
        return cls([taps for taps, _, _ in found], (a, b, c), [fading for _, fading, _ in found]), (x, y, z)

    def slab(self, channels: Float32, low: int, high: int) -> Float32:
        """(C, high - low, ...) of the target for channels (C, ...) on the network's grid."""
        every_lower, every_upper, every_weight = self._taps[0]
        lower, upper, weight = every_lower[low:high], every_upper[low:high], every_weight[low:high]
        first, last = int(lower.min()), int(upper.max()) + 1
        out = _linear(channels[:, first:last], 1, (lower - first, upper - first, weight))
        for axis in (1, 2):
            out = _linear(out, axis + 1, self._taps[axis])
        for axis, fading in enumerate(self._fading):
            if fading is not None:
                part = fading[low:high] if axis == 0 else fading
                out = out * part.reshape([-1 if n == axis + 1 else 1 for n in range(4)])
        return out


def _to_ends(image: Float32, shape: Shape, settings: Resampling, transpose: Shape) -> Float32:
    """With the axes in the order (i, j, k), as TotalSegmentator holds them: in another order the last bits of the sums
    differ, and a value of 84 becomes 83 where it is cut off to whole numbers.
    """
    ijk = tuple(transpose.index(axis) for axis in (2, 1, 0))
    factors = [shape[axis] / image.shape[axis] for axis in ijk]
    found = zoom(image.astype(np.float64).transpose(ijk), factors, order=settings.order, mode="nearest")
    found = found.transpose([ijk.index(axis) for axis in range(3)])
    return np.ascontiguousarray(np.trunc(found) if settings.whole else found, dtype=np.float32)


def _from_first(image: Float32, shape: Shape, order: int, steps: Spacing) -> Float32:
    if image.shape == shape and steps == (1.0, 1.0, 1.0):
        return image
    out: NDArray[Any] = image.astype(np.float64)
    for axis, (length, wanted, step) in enumerate(zip(image.shape, shape, steps, strict=True)):
        out = _linear(out, axis, _taps_at(np.arange(wanted) * step, length, order))
    return out.astype(np.float32)


def _taps_within(
    length: int, wanted: int, step: float, settings: Resampling, part: slice
) -> tuple[Taps, Float32 | None, slice]:
    """Taps into a part of an axis of ``length``, how much of every target voxel it fills, and where it fills any."""
    x = np.arange(wanted) * step
    filled = np.flatnonzero(_share(_taps_at(x, length, 1), part) > 0)
    where = slice(int(filled[0]), int(filled[-1]) + 1) if filled.size else slice(0, 1)
    taps = lower, upper, weight = _taps_at(x[where], length, settings.order, settings.align == "ends")
    inside = [np.clip(at, part.start, part.stop - 1) - part.start for at in (lower, upper)]
    fading = _share(taps, part)
    return (inside[0], inside[1], weight), None if (fading == 1.0).all() else fading, where


def _share(taps: Taps, part: slice) -> Float32:
    """How much of what a target voxel is made of lies in a part of the source."""
    lower, upper, weight = taps
    has_lower, has_upper = ((part.start <= at) & (at < part.stop) for at in (lower, upper))
    return ((1.0 - weight) * has_lower + weight * has_upper).astype(np.float32)


def _taps_at(x: NDArray[np.floating[Any]], length: int, order: int, halves_up: bool = False) -> Taps:
    """``halves_up``: of two voxels at the same distance the later one is nearest, as in SciPy; else the even one."""
    x = np.clip(x, 0.0, length - 1.0)
    if order == 0:
        nearest = (np.floor(x + 0.5) if halves_up else np.rint(x)).astype(np.intp)
        return nearest, nearest, np.zeros(len(x), dtype=np.float32)
    lower = np.minimum(np.floor(x).astype(np.intp), max(length - 2, 0))
    return lower, np.minimum(lower + 1, length - 1), (x - lower).astype(np.float32)


def _taps(length: int, wanted: int, order: int) -> Taps:
    x = np.clip((np.arange(wanted) + 0.5) * (length / wanted) - 0.5, 0, length - 1)
    if order == 0:
        nearest = np.floor(x + 0.5).astype(np.intp)
        return nearest, nearest, np.zeros(wanted, dtype=np.float32)
    lower = np.floor(x).astype(np.intp)
    return lower, np.minimum(lower + 1, length - 1), (x - lower).astype(np.float32)


def _linear(array: NDArray[Any], axis: int, taps: Taps) -> NDArray[Any]:
    lower, upper, weight = taps
    if not weight.any():
        same = len(lower) == array.shape[axis] and bool((np.diff(lower) == 1).all())
        return array if same else np.take(array, lower, axis=axis)
    shaped = weight.reshape([-1 if n == axis else 1 for n in range(array.ndim)])
    out = np.take(array, upper, axis=axis)
    start = np.take(array, lower, axis=axis)
    out -= start
    out *= shaped
    out += start
    return out


def _is_thick(spacing: Spacing, threshold: float) -> bool:
    return max(spacing) / min(spacing) > threshold


def _spline(image: NDArray[np.float64], shape: Sequence[int], order: int) -> NDArray[np.float64]:
    from skimage.transform import resize

    found: NDArray[np.float64] = resize(image, shape, order, mode="edge", anti_aliasing=False)
    return found


def _along_first(planes: NDArray[np.float64], count: int, order: int) -> NDArray[np.float64]:
    """The first axis to ``count`` planes."""
    if len(planes) == count:
        return planes
    x = (np.arange(count) + 0.5) * (len(planes) / count) - 0.5
    if order == 0:
        return planes[np.clip(np.floor(x + 0.5).astype(np.intp), 0, len(planes) - 1)]
    rows, columns = np.mgrid[: planes.shape[1], : planes.shape[2]]
    found = [map_coordinates(planes, [np.full(rows.shape, at), rows, columns], order=order, mode="nearest") for at in x]
    return np.stack(found)
