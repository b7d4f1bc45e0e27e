"""The box around everything that is not zero, as nnU-Net crops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from .axes import Box


def nonzero_mask(image: NDArray[Any]) -> NDArray[np.bool_]:
    """Voxels (...) that are not zero in any channel of (C, ...), holes filled."""
    mask = image[0] != 0
    for channel in image[1:]:
        mask |= channel != 0
    return np.asarray(binary_fill_holes(mask), dtype=bool)


def box_around(mask: NDArray[np.bool_]) -> Box:
    """The smallest box around a 3D mask; all of it where the mask is empty."""
    found = []
    for axis in range(3):
        others = tuple(n for n in range(3) if n != axis)
        places = np.flatnonzero(mask.any(axis=others))
        found.append(slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, mask.shape[axis]))
    return (found[0], found[1], found[2])
