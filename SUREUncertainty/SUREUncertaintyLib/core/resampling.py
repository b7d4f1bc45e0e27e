"""Volumes onto other grids: to the model's orientation and spacing and back, in slabs so that memory stays small."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from .geometry import crop_grid, grid_corners, index_map, reorient_grid, respace_grid
from .roi import Roi, roi_grid
from .volume import Grid, Volume

Order = Literal["linear", "nearest"]

_ANTI_ALIAS_FACTOR = 1.5
_SLAB_VOXELS = 16 * 1024 * 1024
_ALIGNED = 1e-3
"""Share of a voxel by which centres may differ and still count as the same place."""

NOTHING = 1e-15
"""Direction cosines below the last digit of a float64 turn nothing."""

_INTERPOLATORS = {"linear": sitk.sitkLinear, "nearest": sitk.sitkNearestNeighbor}


def to_itk(volume: Volume) -> sitk.Image:
    """A SimpleITK image with the volume's voxels (copied; bool becomes uint8) and geometry."""
    return _to_itk(volume.array, volume.grid)


def from_itk(image: sitk.Image, name: str = "volume") -> Volume:
    """A volume from a scalar 2D or 3D SimpleITK image; a 2D image becomes one slice of 1 mm."""
    array = sitk.GetArrayFromImage(image)
    if image.GetDimension() == 2:
        array, image = array[np.newaxis], sitk.JoinSeries(image)
    return Volume(array, itk_grid(image), name)


def itk_grid(image: sitk.Image) -> Grid:
    """The grid of a 3D SimpleITK image."""
    i, j, k = image.GetSize()
    return Grid((k, j, i), image.GetSpacing(), image.GetOrigin(), image.GetDirection())


def model_grid(
    grid: Grid, orientation: str, spacing: tuple[float, float, float] | None = None, roi: Roi | None = None
) -> Grid:
    """The grid on which a model sees a scan that lies on ``grid``.

    The input's own axes, turned and flipped to the nearest ``orientation`` (``"RAS"``: array axis i runs to the
    right; ``geometry.STACK``: k runs across the acquired planes), at ``spacing`` mm along (i, j, k) of the model, 0 for
    the input's own. Nothing is interpolated that need not be: without
    ``spacing``, or where it is within 0.1 % of the input's, voxels stay exactly where they are. With ``roi``, the
    block of voxels that the box reaches into, on the same lattice as without it.

    Raises:
        InputError: the orientation is not known, or the region lies outside the image.
    """
    turned = reorient_grid(grid, orientation)
    spaced = turned if spacing is None else respace_grid(turned, spacing)
    return spaced if roi is None else roi_grid(spaced, roi)


def same_voxels(first: Grid, second: Grid) -> bool:
    """Whether both grids have the same voxels at the same places, in whatever order and direction of the axes."""
    if _alignment(first, second) is None or sorted(first.shape) != sorted(second.shape):
        return False
    corners = (index_map(first, second) @ grid_corners(second.shape[::-1]))[:3].T
    inside = (corners > -0.5 - _ALIGNED) & (corners < np.asarray(first.shape[::-1]) - 0.5 + _ALIGNED)
    return bool(inside.all())


def on_voxels_of(volume: Volume, grid: Grid) -> Volume | None:
    """The volume in the order of ``grid``'s voxels, which may be turned or flipped; None where it has other voxels."""
    if volume.grid.matches(grid):
        return volume
    return resample(volume, grid, "nearest") if same_voxels(volume.grid, grid) else None


def resample(volume: Volume, grid: Grid, order: Order = "linear", default: float = 0.0) -> Volume:
    """The volume on another grid; ``default`` outside its field of view.

    Where both lattices coincide (turned, flipped, cropped) voxels are taken as they are: same dtype and, inside the
    field of view, a read-only view without a copy. Otherwise "linear" gives float32 and "nearest" keeps the dtype.
    """
    view = _aligned_view(volume.array, volume.grid, grid)
    if view is not None:
        return replace(volume, array=view, grid=grid, forms=None)
    depth = _slab_depth(volume.grid, grid)
    slabs = range(0, grid.shape[0], depth)
    first = resample_slab(volume.array, volume.grid, grid, 0, min(depth, grid.shape[0]), order, default)
    if len(slabs) == 1:
        return replace(volume, array=first, grid=grid, forms=None)
    out = np.empty(grid.shape, first.dtype)
    out[:depth] = first
    for k0 in slabs[1:]:
        k1 = min(k0 + depth, grid.shape[0])
        out[k0:k1] = resample_slab(volume.array, volume.grid, grid, k0, k1, order, default)
    return replace(volume, array=out, grid=grid, forms=None)


def resample_slab(
    array: NDArray[Any],
    source_grid: Grid,
    target_grid: Grid,
    k0: int,
    k1: int,
    order: Order = "linear",
    default: float = 0.0,
) -> NDArray[Any]:
    """Slices ``k0 <= k < k1`` of ``array`` on ``target_grid``; equal to the same slices of the whole.

    ``array`` is (k, j, i) on ``source_grid`` or (channels, k, j, i). Only the part of it that the slab needs is
    copied. Dtypes as in ``resample``. "linear" removes what the target cannot show, where it is coarser by more than
    1.5, with a Gaussian of (factor - 1) / 2 voxels (van der Walt et al., scikit-image ``resize``).
    """
    if array.ndim == 4:
        return np.stack([resample_slab(a, source_grid, target_grid, k0, k1, order, default) for a in array])
    slab = crop_grid(target_grid, (0, 0, k0), (target_grid.shape[2], target_grid.shape[1], k1 - k0))
    view = _aligned_view(array, source_grid, slab)
    if view is None:
        view = _aligned_padded(array, source_grid, slab, default)
    return _interpolate(array, source_grid, slab, order, default) if view is None else view


def _slab_depth(source: Grid, target: Grid) -> int:
    """Slices of the target that need about ``_SLAB_VOXELS`` voxels of the target or of the source."""
    voxels = max(np.prod(source.shape, dtype=float), np.prod(target.shape, dtype=float))
    return max(1, int(_SLAB_VOXELS * target.shape[0] / max(1.0, voxels)))


def _interpolate(array: NDArray[Any], source: Grid, target: Grid, order: Order, default: float) -> NDArray[Any]:
    linear = order == "linear"
    dtype = np.dtype(np.float32) if linear else array.dtype
    sigma = _anti_alias_sigma(source, target) if linear else (0.0, 0.0, 0.0)
    block = _needed_block(source, target, sigma)
    if block is None:
        return np.full(target.shape, default, dtype)
    part, grid = _cut(array, source, *block)
    if any(sigma):
        part = _smooth(part, sigma)
    image = _to_itk(part, grid)
    pixel = sitk.sitkFloat32 if linear else image.GetPixelID()
    result = sitk.Resample(
        image,
        target.shape[::-1],
        sitk.Transform(3, sitk.sitkIdentity),
        _INTERPOLATORS[order],
        target.origin if linear else _off_ties(source, target),
        target.spacing,
        _direction(target),
        float(default),
        pixel,
    )
    return sitk.GetArrayFromImage(result).astype(dtype, copy=False)


def _off_ties(source: Grid, target: Grid) -> tuple[float, float, float]:
    """The target's origin a millionth of a voxel aside, always the same way in the patient.

    A voxel halfway between two others would else take one or the other by rounding: the result would depend on slabs
    and on the order in which the axes are stored.
    """
    step = 1e-6 * min(source.spacing)
    x, y, z = target.origin
    return (x - 0.61 * step, y - 0.73 * step, z + 0.37 * step)


def _to_itk(array: NDArray[Any], grid: Grid) -> sitk.Image:
    kind = {"b": np.uint8, "f": np.float64 if array.dtype.itemsize > 4 else np.float32}.get(array.dtype.kind)
    image = sitk.GetImageFromArray(array if kind is None else array.astype(kind, copy=False))
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(_direction(grid))
    return image


def _direction(grid: Grid) -> list[float]:
    """Direction cosines for ITK, whose decomposition fails on numbers next to 0: the image would come out black."""
    return [cosine if abs(cosine) > NOTHING else 0.0 for cosine in grid.direction]


def _anti_alias_sigma(source: Grid, target: Grid) -> tuple[float, float, float]:
    """Gaussian sigma in source voxels along (i, j, k); the step of the target along a source axis decides."""
    steps = np.linalg.norm(index_map(source, target)[:3, :3], axis=1)
    i, j, k = (float((step - 1) / 2) if step > _ANTI_ALIAS_FACTOR else 0.0 for step in steps)
    return (i, j, k)


def _smooth(part: NDArray[Any], sigma: tuple[float, float, float]) -> NDArray[np.float32]:
    from scipy import ndimage

    smooth = part.astype(np.float32)
    for axis, width in enumerate(sigma[::-1]):
        if width:
            smooth = ndimage.gaussian_filter1d(smooth, width, axis=axis, mode="nearest")
    return np.asarray(smooth)


def _needed_block(
    source: Grid, target: Grid, sigma: tuple[float, float, float]
) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    """First voxel and size (i, j, k) of the part of the source that the target's values depend on."""
    corners = (index_map(source, target) @ grid_corners(target.shape[::-1]))[:3]
    # the Gaussian ends after 4 sigma; one voxel for the interpolator, one for rounding
    margin = np.ceil(4 * np.asarray(sigma) + 0.5).astype(int) + 2
    low = np.maximum(np.floor(corners.min(axis=1)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(corners.max(axis=1)).astype(int) + margin + 1, source.shape[::-1])
    if (high <= low).any():
        return None
    size = high - low
    return (int(low[0]), int(low[1]), int(low[2])), (int(size[0]), int(size[1]), int(size[2]))


def _cut(
    array: NDArray[Any], grid: Grid, start: tuple[int, int, int], size: tuple[int, int, int]
) -> tuple[NDArray[Any], Grid]:
    i, j, k = (slice(first, first + count) for first, count in zip(start, size, strict=True))
    return array[k, j, i], crop_grid(grid, start, size)


def _alignment(source: Grid, target: Grid) -> tuple[list[int], list[int], list[int]] | None:
    """Source axis, step (+1 / -1) and first index for each target axis (i, j, k), if both lattices coincide."""
    matrix = index_map(source, target)
    rotation, offset = np.rint(matrix[:3, :3]), np.rint(matrix[:3, 3])
    ideal = np.column_stack([rotation, offset])
    error = np.abs((matrix[:3] - ideal) @ grid_corners(target.shape[::-1])).max()
    if error > _ALIGNED or not np.array_equal(np.abs(rotation).sum(axis=0), np.ones(3)):
        return None
    if not np.array_equal(np.abs(rotation).sum(axis=1), np.ones(3)):
        return None
    axes = [int(np.abs(rotation[:, n]).argmax()) for n in range(3)]
    return axes, [int(rotation[a, n]) for n, a in enumerate(axes)], [int(offset[a]) for a in axes]


def _aligned_view(array: NDArray[Any], source: Grid, target: Grid) -> NDArray[Any] | None:
    """The target's voxels as a view of the source's, if the lattices coincide and the target lies inside."""
    alignment = _alignment(source, target)
    if alignment is None:
        return None
    axes, steps, firsts = alignment
    cuts: list[slice] = [slice(None)] * 3
    for axis, step, first, count in zip(axes, steps, firsts, target.shape[::-1], strict=True):
        last = first + step * (count - 1)
        low, high = min(first, last), max(first, last)
        if low < 0 or high >= source.shape[2 - axis]:
            return None
        stop = None if step < 0 and low == 0 else last + step
        cuts[2 - axis] = slice(first, stop, step)
    order = [2 - axes[2 - n] for n in range(3)]
    return array[tuple(cuts)].transpose(order)


def _aligned_padded(array: NDArray[Any], source: Grid, target: Grid, default: float) -> NDArray[Any] | None:
    """As ``_aligned_view`` for a target that reaches over the source's border: a copy with ``default`` there."""
    if _alignment(source, target) is None:
        return None
    # the source seen on the target's lattice is a block of the target's index space
    corners = index_map(target, source) @ grid_corners(source.shape[::-1])
    low = np.rint(corners[:3].min(axis=1) + 0.5).astype(int)
    high = np.rint(corners[:3].max(axis=1) + 0.5).astype(int)
    start = np.maximum(low, 0)
    size = np.minimum(high, target.shape[::-1]) - start
    out = np.full(target.shape, default, array.dtype)
    if (size > 0).all():
        block = crop_grid(target, tuple(map(int, start)), tuple(map(int, size)))  # type: ignore[arg-type]
        i, j, k = (slice(first, first + count) for first, count in zip(start, size, strict=True))
        out[k, j, i] = _aligned_view(array, source, block)
    return out
