"""Comparisons of voxels with their six neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def differs_from_neighbour(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Truth of "one of the six neighbours has another value", same shape. The array's border is no neighbour."""
    from skimage.segmentation import find_boundaries

    return np.asarray(find_boundaries(array, connectivity=1, mode="thick"), dtype=bool)


def rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels of the mask (same shape) with a face neighbour outside it; here the array's border counts as outside."""
    return mask & ~ndimage.binary_erosion(mask)
