"""Windows that lie in the patient's axes or in a head's pose, whatever way the scan's voxels lie.

The scan is resampled once onto such a window, and what the network says comes back to the scan's own grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.centred_window import voxels_within
from ..core.geometry import crop_grid, index_map, parse_orientation, reorient_grid
from ..core.roi import Roi
from ..core.volume import LPS_TO_RAS, Grid
from ..packages.metadata import PackageMetadata

LEAST_DEG = 10.0
"""Turns below this are left to the network: resampling would cost more sharpness than it brings."""

Turn = NDArray[np.float64]
_ALIGNED = 1e-3


def turn_degrees(turn: Turn) -> float:
    """Angle of a rotation."""
    return float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1.0, 1.0))))


def window_turn(grid: Grid, metadata: PackageMetadata, turn: Turn | None) -> Turn | None:
    """How the axes of a window are turned in the patient (RAS), None where it lies along the scan's own axes.

    Only a package with a locator has windows of a size of its own. A scan whose axes lie askew in the patient gets
    windows in the patient's axes; ``turn`` is what is known of the structure's pose.
    """
    if metadata.centred or metadata.locator is None or metadata.spacing is None or len(metadata.patch) != 3:
        return None
    if turn is not None and turn_degrees(turn) >= LEAST_DEG:
        return turn
    axes = LPS_TO_RAS[:3, :3] @ np.reshape(reorient_grid(grid, "RAS").direction, (3, 3))
    return np.eye(3) if turn_degrees(axes) >= LEAST_DEG else None


def turned_window(roi: Roi, metadata: PackageMetadata, turn: Turn) -> Grid:
    """The model's grid of a window: of the box's size and middle, with its axes turned."""
    assert metadata.spacing is not None
    axes, _ = parse_orientation(metadata.orientation)
    spacing = np.zeros(3)
    spacing[list(axes)] = metadata.spacing
    low, high = np.asarray(roi.low), np.asarray(roi.high)
    count = np.maximum(np.round((high - low) / spacing), 1).astype(int)
    first = (low + high) / 2 - turn @ ((count - 1) / 2 * spacing)
    flip = LPS_TO_RAS[:3, :3]
    x, y, z = (flip @ first).tolist()
    sx, sy, sz = spacing.tolist()
    direction = tuple((flip @ turn).ravel().tolist())
    grid = Grid((int(count[2]), int(count[1]), int(count[0])), (sx, sy, sz), (x, y, z), direction)
    return reorient_grid(grid, metadata.orientation)


def seen_voxels(grid: Grid, window: Grid) -> tuple[tuple[slice, slice, slice], NDArray[np.bool_]]:
    """The block (k, j, i) of a scan around a turned window, and which of its voxels lie between the window's own."""
    slices = voxels_within(grid, window)
    k, j, i = slices
    block = crop_grid(grid, (i.start, j.start, k.start), (i.stop - i.start, j.stop - j.start, k.stop - k.start))
    matrix = index_map(window, block)
    at = np.ogrid[: block.shape[0], : block.shape[1], : block.shape[2]][::-1]
    inside = np.ones(block.shape, bool)
    for axis, length in enumerate(window.shape[::-1]):
        index = matrix[axis, 0] * at[0] + matrix[axis, 1] * at[1] + matrix[axis, 2] * at[2] + matrix[axis, 3]
        inside &= (index >= -_ALIGNED) & (index <= length - 1 + _ALIGNED)
    return slices, inside
