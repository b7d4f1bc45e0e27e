"""The semantic perception scale S: how flat the singular spectrum of a class map is.

With singular values sigma_j of the map as a D x (H W) matrix and r = min(D, H W):
p_j = sigma_j^2 / sum sigma_i^2, S = - sum p_j ln p_j / ln r in [0, 1]. A flat spectrum gives 1 (easy), a fast decay 0
(hard). Source: Li, Liu, Jiao et al., CVPR 2026 (arXiv 2604.10963), restated in our own words.

The singular values come from the Gram matrix G = z z^T, whose eigenvalues are sigma_j^2. G is a sum over columns, so
it is summed over tiles in float64: exact, and no copy of the volume is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Centring = Literal["none", "row"]
TILE_ELEMENTS = 1 << 21
RELATIVE_GUARD = 1e-8
REFERENCE_EPSILON = 1e-6
NAN = float("nan")

ALL_ZERO = "the map is zero everywhere"
FLAT_ROWS = "every row of the map is constant"
NOT_FINITE = "the map holds values that are not finite"
ONE_ROW = "the map has a single slice (r = 1)"


@dataclass(frozen=True)
class Scale:
    """S of one map; NaN with the ``reason``. ``rank`` is r, the number of singular values."""

    value: float
    reason: str = ""
    rank: int = 0

    @property
    def valid(self) -> bool:
        """Whether S is defined."""
        return not self.reason


def perception_scale(matrix: NDArray[Any], power: int = 2, center: Centring = "none") -> Scale:
    """S of one map.

    Args:
        matrix: (D, H, W) or (D, columns), any real dtype.
        power: 2 as published; 1 takes p_j = (sigma_j + 1e-6) / sum(sigma_i + 1e-6), for ablation only.
        center: ``"row"`` subtracts the mean of every row, which removes the effect of a logit offset.
    """
    rows = matrix.reshape(matrix.shape[0], -1)
    if rows.shape[0] > rows.shape[1] and center == "none":
        rows = rows.T
    gram = GramAccumulator(rows.shape[0], power, center)
    for tile in column_tiles(rows):
        gram.add(tile)
    return gram.scale()


def column_tiles(rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Views of at most about two million elements, all rows of some columns each."""
    width = max(1, TILE_ELEMENTS // max(1, rows.shape[0]))
    for start in range(0, rows.shape[1], width):
        yield rows[:, start : start + width]


class GramAccumulator:
    """Sums z z^T over tiles of columns; memory is rows^2 and one tile, whatever the volume.

    Args:
        rows: D.
        power, center: as ``perception_scale``.
    """

    def __init__(self, rows: int, power: int = 2, center: Centring = "none") -> None:
        if power not in (1, 2):
            raise ValueError(f"power must be 1 or 2, got {power}")
        if center not in ("none", "row"):
            raise ValueError(f"center must be 'none' or 'row', got {center!r}")
        self.power, self.center = power, center
        self.columns, self.finite, self._energy = 0, True, 0.0
        self.gram = np.zeros((rows, rows))
        self._sums = np.zeros(rows)
        self._shift: NDArray[np.float64] | None = None

    def add(self, tile: NDArray[Any]) -> None:
        """Add the columns of a tile (rows, any width)."""
        if not self.finite:
            return
        wide = np.asarray(tile, dtype=np.float64)
        energy = float(np.einsum("ij,ij->", wide, wide))
        if not np.isfinite(energy):
            self.finite = False
            return
        self._energy += energy
        self.columns += wide.shape[1]
        if self.center == "row":
            # a first guess of the row means, so that a large offset does not cancel later
            self._shift = wide.mean(axis=1) if self._shift is None else self._shift
            wide = wide - self._shift[:, None]
            self._sums += wide.sum(axis=1)
        self.gram += wide @ wide.T

    def eigenvalues(self) -> NDArray[np.float64]:
        """The r squared singular values, largest first, never below zero."""
        gram = self.gram
        if self.center == "row" and self.columns:
            gram = gram - np.outer(self._sums, self._sums) / self.columns
        values = np.linalg.eigvalsh(gram)[::-1]
        return np.maximum(values[: min(len(values), self.columns)], 0.0)

    def scale(self) -> Scale:
        """S of all columns so far."""
        rank = min(len(self.gram), self.columns)
        if not self.finite:
            return Scale(NAN, NOT_FINITE, rank)
        if self._energy == 0.0:
            return Scale(NAN, ALL_ZERO, rank)
        if rank < 2:
            return Scale(NAN, ONE_ROW, rank)
        squared = self.eigenvalues()
        if float(squared.sum()) <= RELATIVE_GUARD * self._energy:
            return Scale(NAN, FLAT_ROWS, rank)
        return Scale(spectral_entropy(squared, self.power), rank=rank)


def spectral_entropy(squared: NDArray[np.float64], power: int = 2) -> float:
    """S from all r squared singular values (zeros included), r >= 2 and not all zero."""
    weights = squared if power == 2 else np.sqrt(squared) + REFERENCE_EPSILON
    share = weights / weights.sum()
    positive = share[share > 0.0]
    entropy = -float(np.sum(positive * np.log(positive))) / float(np.log(len(squared)))
    return min(max(entropy, 0.0), 1.0)
