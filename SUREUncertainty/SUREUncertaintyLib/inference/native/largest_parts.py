"""Of some structures of a label map only the largest connected parts stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...packages.pipeline import LargestParts


def keep_largest(labels: NDArray[np.uint8], step: LargestParts, voxel_mm3: float = 1.0) -> None:
    """Make everything but the largest connected parts background, in place; of equally large ones the last stays."""
    chosen = step.labels or tuple(int(value) for value in np.unique(labels) if value)
    groups = [chosen] if step.together else [(value,) for value in chosen]
    for group in groups:
        _keep_largest(labels, np.isin(labels, group), step, step.above_mm3 / voxel_mm3)


def _keep_largest(labels: NDArray[np.uint8], mask: NDArray[np.bool_], step: LargestParts, above: float) -> None:
    """``above``: voxels that a part must exceed."""
    from skimage.measure import label

    parts = label(mask, connectivity=step.connectivity)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    largest = np.argsort(sizes)[::-1][: step.count or len(sizes)]
    kept = np.zeros(len(sizes), dtype=bool)
    kept[largest] = sizes[largest] > above
    labels[mask & ~kept[parts]] = 0
