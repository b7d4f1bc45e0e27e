"""Structures that belong together as one: volume with its range, and how the two sides compare.

The range of a whole comes from the probability of its parts added up, so that what is uncertain only about which of
the parts a voxel belongs to does not widen it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.rounding import decimals
from .rows import StructureRow
from .volume_range import VoxelRange, volume_range_ml

SIDES = ("Left", "Right")
"""Names of the regions whose volumes are compared."""


@dataclass(frozen=True)
class WholeCount:
    """What a region's probabilities say about one whole.

    Attributes:
        parts: label values of its parts in the label map.
        range: voxels where it is nearly certain and where it cannot be ruled out.
        entropy: summed over the voxels of its outline, in bits a voxel (0..1), of "belongs to the whole or not".
        voxels: of its outline.
    """

    parts: tuple[int, ...]
    range: VoxelRange
    entropy: float
    voxels: int


@dataclass(frozen=True)
class WholeRow:
    """One whole of one region, or of both sides together.

    Attributes:
        parts: names of the structures that it is made of.
        volume_low_ml, volume_high_ml: the volume range (90 %); of both sides the sums of the sides' ends. NaN where
            there is none.
        mean_uncertainty: of "belongs to the whole or not", in bits, mean over its voxels; NaN when it is empty.
    """

    name: str
    parts: tuple[str, ...]
    voxels: int
    volume_ml: float
    volume_low_ml: float
    volume_high_ml: float
    mean_uncertainty: float


@dataclass(frozen=True)
class Asymmetry:
    """How much larger the left side is: (left - right) / mean of both, with its range (NaN where the sides have none).

    The ends of the sides' ranges are added in squares, as for errors that are independent. Those of one network on one
    scan go the same way on both sides more often than not, and a difference then varies less, so the range is wide
    rather than narrow.
    """

    name: str
    index: float
    low: float
    high: float


def belonging_entropy(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Entropy in bits of "belongs or not", same shape, 0..1: 1 where the probability is 0.5."""
    p = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.asarray(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)), np.float32)


def whole_rows(
    counts: Mapping[tuple[str, str], WholeCount], structures: Sequence[StructureRow], voxel_mm3: float
) -> tuple[WholeRow, ...]:
    """A row for each region and whole, in the order of ``counts``; behind two sides a row of both.

    Args:
        counts: by name of the region ("" for a scan without regions) and of the whole.
        structures: the rows of the parts, by label value.
    """
    by_value = {row.value: row for row in structures}
    rows = {key: _row(key, count, by_value, voxel_mm3) for key, count in counts.items()}
    both = [_both(rows, whole) for whole in _two_sided(rows)]
    return (*rows.values(), *both)


def asymmetries(rows: Sequence[WholeRow], wholes: Sequence[str]) -> tuple[Asymmetry, ...]:
    """For each whole that was found on both sides."""
    by_name = {row.name: row for row in rows}
    found = []
    for whole in wholes:
        left, right = (by_name.get(f"{side} {whole}") for side in SIDES)
        if left is not None and right is not None and left.voxels + right.voxels:
            found.append(_asymmetry(whole, left, right))
    return tuple(found)


def as_drawn(rows: Sequence[WholeRow], structures: Sequence[StructureRow]) -> tuple[WholeRow, ...]:
    """The rows after a person edited their parts: volumes are the parts', without a range where they changed."""
    by_name = {row.name: row for row in structures}
    return tuple(_as_drawn(row, [by_name[name] for name in row.parts if name in by_name]) for row in rows)


def whole_sentences(rows: Sequence[WholeRow], sides: Sequence[Asymmetry]) -> tuple[str, ...]:
    """Volumes and asymmetry in words, one sentence each."""
    volumes = (f"{row.name}: {_with_range(row.volume_ml, row.volume_low_ml, row.volume_high_ml)} ml" for row in rows)
    return (*volumes, *(_asymmetry_sentence(row) for row in sides))


def _asymmetry_sentence(row: Asymmetry) -> str:
    larger = SIDES[0 if row.index > 0 else 1].lower()
    percent = [f"{100 * value:+.0f}" for value in (row.index, row.low, row.high)]
    known = np.isfinite(row.low) and np.isfinite(row.high)
    between = f" (between {percent[1]} and {percent[2]} %)" if known else ""
    return f"Asymmetry of the {row.name}: {percent[0]} %{between}, the {larger} side is the larger one"


def _with_range(value: float, low: float, high: float) -> str:
    return decimals(value) + (
        f" ({decimals(low)} - {decimals(high)})" if np.isfinite(low) and np.isfinite(high) else ""
    )


def _as_drawn(row: WholeRow, parts: Sequence[StructureRow]) -> WholeRow:
    voxels = sum(part.voxels for part in parts)
    if voxels == row.voxels:
        return row
    nothing = float("nan")
    return WholeRow(row.name, row.parts, voxels, sum(part.volume_ml for part in parts), nothing, nothing, nothing)


def _row(key: tuple[str, str], count: WholeCount, by_value: Mapping[int, StructureRow], voxel_mm3: float) -> WholeRow:
    parts = [by_value[value] for value in count.parts]
    voxels = sum(row.voxels for row in parts)
    low, high = volume_range_ml(voxels, count.range, voxel_mm3)
    mean = count.entropy / count.voxels if count.voxels else float("nan")
    volume = sum(row.volume_ml for row in parts)
    name = " ".join(filter(None, key))
    return WholeRow(name[:1].upper() + name[1:], tuple(row.name for row in parts), voxels, volume, low, high, mean)


def _two_sided(rows: Mapping[tuple[str, str], WholeRow]) -> list[str]:
    wholes = dict.fromkeys(whole for _, whole in rows)
    return [whole for whole in wholes if all((side, whole) in rows for side in SIDES)]


def _both(rows: Mapping[tuple[str, str], WholeRow], whole: str) -> WholeRow:
    left, right = (rows[side, whole] for side in SIDES)
    voxels = left.voxels + right.voxels
    weights = np.array([left.voxels, right.voxels], float)
    means = np.nan_to_num([left.mean_uncertainty, right.mean_uncertainty])
    return WholeRow(
        name=f"{SIDES[0]} and {SIDES[1].lower()} {whole}",
        parts=(*left.parts, *right.parts),
        voxels=voxels,
        volume_ml=left.volume_ml + right.volume_ml,
        volume_low_ml=left.volume_low_ml + right.volume_low_ml,
        volume_high_ml=left.volume_high_ml + right.volume_high_ml,
        mean_uncertainty=float(weights @ means / voxels) if voxels else float("nan"),
    )


def _asymmetry(name: str, left: WholeRow, right: WholeRow) -> Asymmetry:
    mean = (left.volume_ml + right.volume_ml) / 2
    index = (left.volume_ml - right.volume_ml) / mean
    below = np.hypot(left.volume_ml - left.volume_low_ml, right.volume_high_ml - right.volume_ml)
    above = np.hypot(left.volume_high_ml - left.volume_ml, right.volume_ml - right.volume_low_ml)
    return Asymmetry(name, index, float(index - below / mean), float(index + above / mean))
