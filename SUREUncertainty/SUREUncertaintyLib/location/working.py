"""Scans made small and plain for the search: a few millimetres a voxel, without bias field and brightest values."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

from ..core.resampling import itk_grid, resample, to_itk
from ..core.volume import LPS_TO_RAS, Grid, Volume

WORKING_MM = 3.0
"""Side of the voxels on which a fit is made and judged."""

_BRIGHTEST = 99.5
"""Percentile beyond which values (vessels, fat, contrast agent) count as that value."""

_AROUND_MM = 30.0
"""Width of the neighbourhood whose mean a grey value is divided by."""

_TISSUE = 0.5
"""Times Otsu's threshold between dark and bright, above which a smoothed voxel counts as tissue."""

_LEAST = 1e-3


def working_volume(scan: Volume) -> Volume:
    """The scan on cubes of ``WORKING_MM`` in the patient's axes, float32 0..1: its grey values by the mean around them.

    A bias field and the scanner's scale are gone. Outside of the field of view the volume is 0, as air is.
    """
    small = _shrunken(scan)
    grid = patient_grid(small.grid, WORKING_MM)
    array = np.asarray(resample(small.with_array(_plain(small.array)), grid).array, np.float32)
    return Volume(_flattened(array), grid, scan.name)


def patient_grid(grid: Grid, side_mm: float) -> Grid:
    """Cubes of ``side_mm`` in the patient's axes (RAS) over the whole field of view of ``grid``."""
    k, j, i = grid.shape
    ends = np.array([(x, y, z, 1.0) for x in (0, i - 1) for y in (0, j - 1) for z in (0, k - 1)])
    corners = (grid.ijk_to_ras @ ends.T)[:3]
    low, high = corners.min(axis=1), corners.max(axis=1)
    size = np.maximum(np.ceil((high - low) / side_mm).astype(int) + 1, 1)
    x, y, z = (LPS_TO_RAS[:3, :3] @ ((low + high) / 2 - (size - 1) / 2 * side_mm)).tolist()
    shape = (int(size[2]), int(size[1]), int(size[0]))
    return Grid(shape, (side_mm,) * 3, (x, y, z), (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0))


def _shrunken(scan: Volume) -> Volume:
    """Blocks of voxels averaged, as far as they stay within ``WORKING_MM``: fast, and without aliasing."""
    image = sitk.Cast(to_itk(scan), sitk.sitkFloat32)
    factors = [max(1, int(WORKING_MM // side)) for side in scan.grid.spacing]
    small = sitk.BinShrink(image, [min(f, n) for f, n in zip(factors, image.GetSize(), strict=True)])
    return Volume(sitk.GetArrayFromImage(small), itk_grid(small), scan.name)


def _plain(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """From 0 (the darkest percent) to 1 (the brightest values that are common)."""
    low = float(np.percentile(array, 1.0))
    above = array[array > low]
    high = float(np.percentile(above, _BRIGHTEST)) if above.size else low
    if high <= low:
        return np.zeros_like(array)
    return np.clip((array - low) / np.float32(high - low), 0.0, 1.0)


def _flattened(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grey values by twice the mean of the tissue around them, at most 1; noise in the air stays small."""
    plain = ndimage.gaussian_filter(array, 1.0, mode="constant")
    level = max(_TISSUE * float(threshold_otsu(plain)), _LEAST)
    tissue = (plain > level).astype(np.float32)
    sigma = _AROUND_MM / WORKING_MM
    total, share = (
        ndimage.gaussian_filter(part, sigma, mode="constant", truncate=2.5) for part in (array * tissue, tissue)
    )
    mean = np.asarray(total / np.maximum(share, 1e-3))
    return np.asarray(np.clip(array / np.maximum(2 * mean, level), 0.0, 1.0), np.float32)
