"""How far the members of a result agree about each structure: pairwise Dice and the members' volumes.

The mean pairwise Dice of an ensemble is the best score of a whole result in Zenk et al. (arXiv 2406.03323). Counts add
up over slabs, so no member's label map has to be held whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.volume import Volume
from .volume_range import MM3_PER_ML, VoxelRange

ENOUGH_FOR_QUANTILES = 20
"""Members from which the 5th and 95th percentile of their volumes say more than the smallest and the largest."""


@dataclass(frozen=True)
class StructureAgreement:
    """One structure in the eyes of M members.

    Attributes:
        value, name: the structure's label.
        volumes_ml: one a member, in the members' order.
        dice: (first member, second member, Dice) of every pair, members counted from 0; NaN where both are empty.
    """

    value: int
    name: str
    volumes_ml: tuple[float, ...]
    dice: tuple[tuple[int, int, float], ...]

    @property
    def mean_dice(self) -> float:
        """Over the pairs of which at least one member found the structure; NaN when there is none."""
        defined = [value for _, _, value in self.dice if not np.isnan(value)]
        return float(np.mean(defined)) if defined else float("nan")

    @property
    def lowest_pair(self) -> tuple[int, int, float] | None:
        """The two members that agree least and their Dice; None when no member found the structure."""
        defined = [pair for pair in self.dice if not np.isnan(pair[2])]
        return min(defined, key=lambda pair: pair[2]) if defined else None


@dataclass(frozen=True, eq=False)
class Members:
    """What several members add to a result.

    Attributes:
        names: of the members, in order.
        noun: what a member is, in the singular, for sentences: "mask", "probability map", "fold".
        maps: ``expected_entropy`` and ``mutual_information`` by name, on the result's grid (``analysis.members``).
        structures: one row a structure, in the order of the result's labels.
    """

    names: tuple[str, ...]
    noun: str
    structures: tuple[StructureAgreement, ...]
    maps: Mapping[str, Volume] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Names and tables, seven digits, None for NaN; the maps are files of their own."""
        return {
            "noun": self.noun,
            "names": list(self.names),
            "structures": [_structure_to_json(row) for row in self.structures],
        }

    @staticmethod
    def from_json(document: Mapping[str, Any], maps: Mapping[str, Volume] | None = None) -> Members:
        """What ``to_json`` described, with its maps."""
        rows = tuple(_structure_from_json(row) for row in document["structures"])
        return Members(tuple(document["names"]), str(document["noun"]), rows, maps or {})


class PairCounts:
    """Voxel counts of every structure in every member and in every pair of members, added up block by block."""

    def __init__(self, members: int, values: Sequence[int]) -> None:
        """``values``: label values of the structures (with ``add_regions`` only their number matters)."""
        self.values = tuple(values)
        self.pairs = tuple(combinations(range(members), 2))
        self.voxels = np.zeros((members, len(self.values)), np.int64)
        self.shared = np.zeros((len(self.pairs), len(self.values)), np.int64)

    def add_labels(self, blocks: Sequence[NDArray[Any]]) -> None:
        """Count the members' label maps (...) of one block, in the members' order; non-negative integers."""
        for row, block in zip(self.voxels, blocks, strict=True):
            row += self._counts(block)
        for row, (one, other) in zip(self.shared, self.pairs, strict=True):
            row += self._counts(blocks[one][blocks[one] == blocks[other]])

    def add_regions(self, blocks: Sequence[NDArray[np.bool_]]) -> None:
        """Count the members' masks (R, ...) of one block, where structures may overlap; R in the order of values."""
        flat = [block.reshape(len(self.values), -1) for block in blocks]
        for row, block in zip(self.voxels, flat, strict=True):
            row += np.count_nonzero(block, axis=1)
        for row, (one, other) in zip(self.shared, self.pairs, strict=True):
            row += np.count_nonzero(flat[one] & flat[other], axis=1)

    def ranges(self) -> dict[int, VoxelRange]:
        """The range of every structure's volume over the members, by label value, for ``structure_table``."""
        return {value: voxel_range(column.tolist()) for value, column in zip(self.values, self.voxels.T, strict=True)}

    def structures(self, names: Sequence[str], voxel_volume_mm3: float) -> tuple[StructureAgreement, ...]:
        """One row a structure, with ``names`` in the order of ``values``."""
        return tuple(
            self._structure(column, value, name, voxel_volume_mm3 / MM3_PER_ML)
            for column, (value, name) in enumerate(zip(self.values, names, strict=True))
        )

    def _structure(self, column: int, value: int, name: str, voxel_ml: float) -> StructureAgreement:
        voxels = self.voxels[:, column]
        dice = [
            (one, other, _dice(int(shared), int(voxels[one] + voxels[other])))
            for shared, (one, other) in zip(self.shared[:, column], self.pairs, strict=True)
        ]
        return StructureAgreement(value, name, tuple(float(n) * voxel_ml for n in voxels), tuple(dice))

    def _counts(self, labels: NDArray[Any]) -> NDArray[np.int64]:
        counts = np.bincount(labels.ravel(), minlength=max(self.values, default=0) + 1)
        return counts[list(self.values)]


def voxel_range(voxels: Sequence[int]) -> VoxelRange:
    """From the smallest to the largest of the members' volumes; from 20 members on from the 5th to the 95th percentile.

    Two readers' volumes are no 90 % interval, nor are five folds': ``range_name`` says what the range is.
    """
    if len(voxels) < ENOUGH_FOR_QUANTILES:
        return VoxelRange(min(voxels), max(voxels))
    low, high = np.quantile(voxels, (0.05, 0.95))
    return VoxelRange(round(float(low)), round(float(high)))


def agreement_sentences(document: Mapping[str, Any] | None) -> tuple[str, ...]:
    """One sentence a structure that at least one member found, from what ``Members.to_json`` wrote; none for None."""
    if not document:
        return ()
    who = f"Agreement of the {len(document['names'])} {document['noun']}s on"
    found = (row for row in document["structures"] if row["mean_dice"] is not None)
    return tuple(f"{who} {row['name']}: mean Dice {row['mean_dice']:.2f}" for row in found)


def range_name(members: int, noun: str) -> str:
    """What the volume range of that many members is, for the head of a table."""
    if members < ENOUGH_FOR_QUANTILES:
        return f"range of the {members} {noun}s"
    return f"5th to 95th percentile of the {members} {noun}s"


def _structure_to_json(row: StructureAgreement) -> dict[str, Any]:
    return {
        "value": row.value,
        "name": row.name,
        "mean_dice": _rounded(row.mean_dice),
        "dice": [[one, other, _rounded(value)] for one, other, value in row.dice],
        "volumes_ml": [_rounded(value) for value in row.volumes_ml],
    }


def _structure_from_json(row: Mapping[str, Any]) -> StructureAgreement:
    dice = ((int(one), int(other), _number(value)) for one, other, value in row["dice"])
    return StructureAgreement(int(row["value"]), str(row["name"]), tuple(map(_number, row["volumes_ml"])), tuple(dice))


def _rounded(value: float) -> float | None:
    return float(f"{value:.7g}") if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _dice(shared: int, total: int) -> float:
    """2 |A and B| / (|A| + |B|) as in ``metrics.overlap``, from counts; NaN when both are empty."""
    return 2.0 * shared / total if total else float("nan")
