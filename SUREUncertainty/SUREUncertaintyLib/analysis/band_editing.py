"""Changes of one structure that stay inside the uncertain band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]

SMOOTHING_MM = 1.5


def grow(mask: Mask, band: Mask, spacing: Sequence[float]) -> Mask:
    """One layer of uncertain voxels (6 neighbours) joins the structure. Masks (k, j, i); spacing is not used."""
    return np.asarray(mask | (ndimage.binary_dilation(mask) & band))


def shrink(mask: Mask, band: Mask, spacing: Sequence[float]) -> Mask:
    """The structure's outermost layer leaves it where it is uncertain; the border of the image is no outside."""
    return np.asarray(mask & ~(band & ~ndimage.binary_erosion(mask, border_value=1)))


def smooth(mask: Mask, band: Mask, spacing: Sequence[float]) -> Mask:
    """Uncertain voxels follow the Gaussian mean of the structure around them (1.5 mm); all others stay.

    Args:
        spacing: mm along (k, j, i).
    """
    mean = ndimage.gaussian_filter(mask.astype(np.float32), [SMOOTHING_MM / side for side in spacing])
    return np.where(band, mean > 0.5, mask)


ACTIONS: dict[str, Callable[[Mask, Mask, Sequence[float]], Mask]] = {"grow": grow, "shrink": shrink, "smooth": smooth}


def uncertain_band(uncertainty: NDArray[Any], low: float, high: float) -> Mask:
    """Mask (k, j, i) of the voxels whose uncertainty lies in low..high."""
    return np.asarray((uncertainty >= low) & (uncertainty <= high))
