"""A histogram of doubt in one line of text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BARS = "▁▂▃▄▅▆▇█"
BINS = 40
OUTSIDE = "·"


class DoubtHistogram:
    """Counts of a map of doubt; voxels of exactly 0 were not analysed and do not count.

    Args:
        values: uncertainty in 0..1, any shape.
        voxel_volume_mm3: of one voxel.
    """

    def __init__(self, values: NDArray[Any], voxel_volume_mm3: float) -> None:
        analysed = np.asarray(values)[np.asarray(values) > 0]
        self._fine, _ = np.histogram(analysed, bins=1000, range=(0.0, 1.0))
        self._voxel = voxel_volume_mm3

    def share(self, low: float, high: float) -> float:
        """Share of the analysed voxels in low..high, exact to 0.001 of the scale."""
        total = int(self._fine.sum())
        return self._between(low, high) / total if total else 0.0

    def volume_ml(self, low: float, high: float) -> float:
        """Volume of the voxels in low..high."""
        return self._between(low, high) * self._voxel / 1000.0

    def text(self, low: float, high: float) -> str:
        """One bar a bin, logarithmic; bins outside low..high are dots."""
        counts = np.log1p(self._fine.reshape(BINS, -1).sum(axis=1))
        top = float(counts.max()) or 1.0
        levels = np.minimum((counts / top * len(BARS)).astype(int), len(BARS) - 1)
        edges = np.arange(BINS) / BINS
        drawn = (edges + 1 / BINS >= low) & (edges <= high)
        return "".join(BARS[level] if inside else OUTSIDE for level, inside in zip(levels, drawn, strict=True))

    def _between(self, low: float, high: float) -> int:
        return int(self._fine[int(np.floor(low * 1000)) : int(np.ceil(high * 1000))].sum())
