"""One row a structure: volume with its range (90 %), and how much of it is uncertain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.labels import Label
from ..core.volume import Volume
from .rows import StructureRow
from .volume_range import MM3_PER_ML, VoxelRange, volume_range_ml
from .voxel_neighbours import differs_from_neighbour

SLAB_VOXELS = 2 * 1024 * 1024
BINS = 10_000
"""Bins of uncertainty in 0..1 from which p95 is read, so it is exact to 1 / BINS."""


def structure_table(
    labels: Volume,
    uncertainty: Volume,
    label_set: Sequence[Label],
    threshold: float,
    ranges: Mapping[int, VoxelRange] | None = None,
) -> tuple[StructureRow, ...]:
    """Measure every structure of ``label_set``, in its order; a structure that was not found has a row too.

    The volume is read in slabs, so memory does not grow with it.

    Args:
        labels: non-negative integer label map (k, j, i).
        uncertainty: values in 0..1 on the same grid, NaN where nothing was analysed: such voxels count in the volume
            (a person may have drawn them), not in what is said about uncertainty.
        threshold: a voxel above it is uncertain.
        ranges: voxel counts by label value (``analysis.volume_range``).

    Returns:
        Volumes in mm3 and ml. Boundary voxels have a 6-neighbour with another label; the image's border makes none.
    """
    tally = _Tally(max((label.value for label in label_set), default=0) + 1)
    for slab_labels, slab_uncertainty, boundary in _slabs(labels.array, uncertainty.array):
        tally.add(slab_labels, slab_uncertainty, boundary, threshold)
    return tuple(_row(label, tally, labels.grid.voxel_volume_mm3, ranges or {}) for label in label_set)


@dataclass
class _Tally:
    """Sums by label value; columns of ``counts`` and ``sums`` are interior and boundary, of the analysed voxels."""

    size: int

    def __post_init__(self) -> None:
        self.voxels = np.zeros(self.size, np.int64)
        self.counts = np.zeros((self.size, 2), np.int64)
        self.sums = np.zeros((self.size, 2), np.float64)
        self.uncertain = np.zeros(self.size, np.int64)
        self.histogram = np.zeros((self.size, BINS), np.int64)

    def add(
        self, labels: NDArray[Any], uncertainty: NDArray[Any], boundary: NDArray[np.bool_], threshold: float
    ) -> None:
        chosen = (labels != 0) & (labels < self.size)
        self.voxels += np.bincount(labels[chosen].astype(np.intp), minlength=self.size)
        chosen &= np.isfinite(uncertainty)
        values = labels[chosen].astype(np.intp)
        amount = uncertainty[chosen].astype(np.float64)
        part = 2 * values + boundary[chosen]
        self.counts += np.bincount(part, minlength=2 * self.size).reshape(-1, 2)
        self.sums += np.bincount(part, amount, minlength=2 * self.size).reshape(-1, 2)
        self.uncertain += np.bincount(values[uncertainty[chosen] > threshold], minlength=self.size)
        bins = np.clip((amount * BINS).astype(np.intp), 0, BINS - 1)
        np.add.at(self.histogram.reshape(-1), values * BINS + bins, 1)

    def quantile(self, value: int, share: float) -> float:
        """Uncertainty below which ``share`` of the structure's voxels lie; NaN when it has none."""
        cumulative = self.histogram[value].cumsum()
        if cumulative[-1] == 0:
            return float("nan")
        wanted = share * cumulative[-1]
        index = int(np.searchsorted(cumulative, wanted))
        below = cumulative[index] - self.histogram[value, index]
        return float((index + (wanted - below) / self.histogram[value, index]) / BINS)


def _slabs(
    labels: NDArray[Any], uncertainty: NDArray[Any]
) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]]:
    """Labels, uncertainty and boundary of some planes at a time; the boundary sees the planes beside them."""
    depth = max(1, SLAB_VOXELS // max(1, labels[0].size))
    for first in range(0, len(labels), depth):
        last = min(first + depth, len(labels))
        halo = max(first - 1, 0)
        boundary = differs_from_neighbour(labels[halo : last + 1])[first - halo : last - halo]
        yield labels[first:last], uncertainty[first:last], boundary


def _row(label: Label, tally: _Tally, voxel_mm3: float, ranges: Mapping[int, VoxelRange]) -> StructureRow:
    value = label.value
    interior, boundary = (int(n) for n in tally.counts[value])
    inner_sum, boundary_sum = (float(x) for x in tally.sums[value])
    voxels = int(tally.voxels[value])
    low, high = volume_range_ml(voxels, ranges.get(value), voxel_mm3)
    return StructureRow(
        value=value,
        name=label.name,
        voxels=voxels,
        volume_mm3=voxels * voxel_mm3,
        volume_ml=voxels * voxel_mm3 / MM3_PER_ML,
        volume_low_ml=low,
        volume_high_ml=high,
        mean_uncertainty=_ratio(inner_sum + boundary_sum, interior + boundary),
        p95_uncertainty=tally.quantile(value, 0.95),
        share_over_threshold=_ratio(float(tally.uncertain[value]), interior + boundary),
        boundary_uncertainty=_ratio(boundary_sum, boundary),
        interior_uncertainty=_ratio(inner_sum, interior),
    )


def _ratio(total: float, count: int) -> float:
    return total / count if count else float("nan")
