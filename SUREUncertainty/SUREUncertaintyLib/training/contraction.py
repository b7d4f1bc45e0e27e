"""A cavity that has contracted further, as a strong or a thick-walled heart's at end-systole.

Where training data hold few nearly empty cavities, a network learns that a cavity is large. Here a slice is warped
along the rays from the middle of its cavity: the cavity shrinks, its wall thickens by what it has lost, and from twice
the cavity's own radius on nothing moves. The label is warped by the same map, so that nothing is outlined again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError

REACH = 2.0
"""Where the slice stops to move, in radii of the cavity in that direction."""
_RAYS, _FINE = 72, 0.25
_STEP = 2 * np.pi / _RAYS
_SMALLEST = 2.5
"""Mean radius, in voxels, below which no cavity is made to shrink."""


def contracted(
    image: NDArray[np.float32], label: NDArray[np.uint8], share: float
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The slice with its cavity at ``share`` of its radius, or at the smallest radius that voxels can show.

    Args:
        image, label: (H, W); the cavity is what is above 0, of one value, seen from its centre of mass.
        share: above 0, at most 1, which leaves everything where it is.

    Returns:
        Image and label of the same shape; as they were where there is no cavity, or one that is smallest already.

    Raises:
        InputError: the image is no slice, or more than one structure is outlined.
    """
    if image.ndim != 2:
        raise InputError("The recipe's contraction_probability is for networks of slices. Leave it out for volumes.")
    if len(np.unique(label[label > 0])) > 1:
        raise InputError("The recipe's contraction_probability is for one cavity. Leave it out for several structures.")
    cavity = np.argwhere(label > 0)
    size = np.sqrt(len(cavity) / np.pi)
    if size <= _SMALLEST:
        return image, label
    places = _places(label, cavity.mean(0), max(share, float(_SMALLEST / size)))
    from scipy.ndimage import map_coordinates

    warped = map_coordinates(image, places, order=1, mode="nearest")
    moved = map_coordinates((label > 0).astype(np.float32), places, order=1) > 0.5
    return warped, np.where(moved, label.max(), 0).astype(np.uint8)


def _places(label: NDArray[np.uint8], middle: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Where each voxel of the new slice lies in the old one, (2, H, W)."""
    offset = np.moveaxis(np.indices(label.shape), 0, -1) - middle
    turn = np.arctan2(offset[..., 0], offset[..., 1]) / _STEP
    edge = np.interp(turn, np.arange(_RAYS + 1) - _RAYS // 2, _edges(label, middle))
    towards = np.hypot(offset[..., 0], offset[..., 1]) / edge
    stretch = np.interp(towards, (0.0, share, REACH), (0.0, 1.0, REACH)) / np.maximum(towards, 1e-6)
    found: NDArray[np.float64] = middle + offset * np.where(towards < REACH, stretch, 1.0)[..., None]
    return np.moveaxis(found, -1, 0)


def _edges(label: NDArray[np.uint8], middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the cavity reaches along each ray, in voxels, from -180 degrees to 180."""
    from scipy.ndimage import gaussian_filter1d, map_coordinates

    angles = (np.arange(_RAYS) - _RAYS // 2) * _STEP
    along = np.arange(0.0, np.hypot(*label.shape), _FINE)
    places = middle[:, None, None] + np.stack([np.sin(angles), np.cos(angles)])[..., None] * along
    marked = map_coordinates((label > 0).astype(np.float32), places, order=1) > 0.5
    farthest = np.where(marked, along, 0.0).max(1)
    edges = gaussian_filter1d(np.maximum(farthest, 0.5), 1.0, mode="wrap")
    return np.append(edges, edges[0])
