"""At what scale samples differ: whole parts that come and go, or a rim that moves by a pixel."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import generate_binary_structure, label


def difference_sizes(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.int64]:
    """Pixels (voxels) of every connected piece in which two masks differ; pieces that touch at a corner are one."""
    differs = (first != 0) != (second != 0)
    pieces, _ = label(differs, generate_binary_structure(differs.ndim, differs.ndim))
    return np.bincount(pieces.ravel())[1:]


def difference_scale(masks: NDArray[Any]) -> float:
    """The size of the connected piece in which a differing pixel lies, mean over such pixels of all pairs of masks.

    That is sum s^2 / sum s over the pieces' sizes s: one whole part counts as what it is, however many specks of a
    pixel lie beside it. NaN where all masks are the same.

    Args:
        masks: (N, ...), at least two.

    Raises:
        ValueError: fewer than two masks.
    """
    if len(masks) < 2:
        raise ValueError(f"differences need at least two masks, got {len(masks)}")
    sizes = [difference_sizes(first, second) for first, second in combinations(masks, 2)]
    pixels = np.concatenate(sizes).astype(np.float64)
    return float((pixels**2).sum() / pixels.sum()) if pixels.size else float("nan")
