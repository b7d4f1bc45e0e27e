"""Whether a given mask or probability map lies on the scan: voxel on voxel, or it is refused. Nothing is resampled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.errors import InputError
from ..core.geometry import orientation_code
from ..core.resampling import resample, same_voxels
from ..core.volume import Grid, Volume


def on_scan(volume: Volume, scan: Volume) -> Volume:
    """The volume in the order of the scan's voxels; turned or flipped storage of the same voxels is undone.

    Raises:
        InputError: its voxels are not those of the scan.
    """
    if volume.grid.matches(scan.grid):
        return replace(volume, grid=scan.grid)
    if not same_voxels(volume.grid, scan.grid):
        raise InputError(
            f"'{volume.name}' does not lie on the scan '{scan.name}': {describe(volume.grid)} against "
            f"{describe(scan.grid)}. Give masks and probabilities on the voxels of the scan; they are not resampled "
            "here, because that would change what is compared."
        )
    return replace(resample(volume, scan.grid, "nearest"), grid=scan.grid)


def describe(grid: Grid) -> str:
    """Size, spacing and place of a grid in a sentence."""
    size = " x ".join(str(n) for n in grid.shape[::-1])
    spacing = " x ".join(f"{value:.4g}" for value in grid.spacing)
    r, a, s = np.round(grid.ijk_to_ras[:3, 3], 1) + 0.0  # no minus before a zero
    return f"{size} voxels of {spacing} mm from R {r:.1f}, A {a:.1f}, S {s:.1f} along {orientation_code(grid)}"
