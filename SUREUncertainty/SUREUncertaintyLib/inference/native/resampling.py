"""To the spacing that a network was trained at, and its logits back, as nnU-Net resamples.

Voxels are boxes: both arrays cover the same field of view. Where voxels are much longer along one axis, planes across
it are resampled on their own and the axis apart (*separate z*). The image goes through scikit-image's splines; logits
come back by linear interpolation, slab by slab, which is separable and needs no copy of a whole channel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from ...packages.pipeline import Resampling

Float32 = NDArray[np.float32]
Spacing = tuple[float, float, float]
Shape = tuple[int, int, int]


def resampled_shape(shape: Sequence[int], old: Spacing, new: Spacing) -> Shape:
    """Voxels along each axis at the new spacing, rounded half to even."""
    a, b, c = (round(before / after * count) for before, after, count in zip(old, new, shape, strict=True))
    return (a, b, c)


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


def resample_image(image: Float32, shape: Shape, settings: Resampling, axis: int | None) -> Float32:
    """One channel to ``shape`` by splines; its values never leave their range (scikit-image clips)."""
    if image.shape == shape:
        return image
    wide = image.astype(np.float64)
    if axis is None:
        return _spline(wide, shape, settings.order).astype(np.float32)
    flat = tuple(length for n, length in enumerate(shape) if n != axis)
    planes = [_spline(plane, flat, settings.order) for plane in np.moveaxis(wide, axis, 0)]
    return np.moveaxis(_along_first(np.stack(planes), shape[axis], settings.order_z), 0, axis).astype(np.float32)


class BackResampler:
    """Brings blended channels from the network's grid to the cropped image's, slab by slab along the first axis."""

    def __init__(self, shape: Shape, target: Shape, settings: Resampling, axis: int | None) -> None:
        """``shape``, ``target``: of the network's grid and the cropped image; ``axis``: the one that is apart."""
        self.shape, self.target = shape, target
        orders = [settings.order_z if n == axis else settings.order for n in range(3)]
        self._taps = [_taps(n, m, order) for n, m, order in zip(shape, target, orders, strict=True)]

    def slab(self, channels: Float32, low: int, high: int) -> Float32:
        """(C, high - low, ...) of the target for channels (C, ...) on the network's grid."""
        every_lower, every_upper, every_weight = self._taps[0]
        lower, upper, weight = every_lower[low:high], every_upper[low:high], every_weight[low:high]
        first, last = int(lower[0]), int(upper[-1]) + 1
        out = _linear(channels[:, first:last], 1, (lower - first, upper - first, weight))
        for axis in (1, 2):
            out = _linear(out, axis + 1, self._taps[axis])
        return out


Taps = tuple[NDArray[np.intp], NDArray[np.intp], Float32]


def _taps(length: int, wanted: int, order: int) -> Taps:
    """For every voxel of the target the two source voxels around it and the weight of the second."""
    x = np.clip((np.arange(wanted) + 0.5) * (length / wanted) - 0.5, 0, length - 1)
    if order == 0:
        nearest = np.floor(x + 0.5).astype(np.intp)
        return nearest, nearest, np.zeros(wanted, dtype=np.float32)
    lower = np.floor(x).astype(np.intp)
    return lower, np.minimum(lower + 1, length - 1), (x - lower).astype(np.float32)


def _linear(array: Float32, axis: int, taps: Taps) -> Float32:
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
