"""UR, UR* and UCC: how monotonically one quantity falls as another rises, over all pairs of voxels, exactly.

For pairs i < j with q = (x_i - x_j)(v_i - v_j), n0 = n (n - 1) / 2: D = #{q < 0} discordant, C = #{q > 0} concordant,
T_x and T_v pairs tied in x and in v, J tied in both, so that n0 = C + D + T_x + T_v - J.

- UR (uncertainty ratio) = (D + J) / n0, the tie rule of the last reference version;
- UR* = (D + (T_v - J) / 2) / (n0 - T_x) = (1 - Somers' d(v|x)) / 2: perfect 1, random 0.5, whatever is tied;
- UCC (uncertainty correlation coefficient) = Pearson correlation of average ranks (Spearman's rho): perfect -1.

Source: Li, Sui, Wu, Zhuang, MICCAI 2025 (arXiv 2509.17098); tie rules, UR* and average ranks as in this project's
documentation; Somers 1962; Knight 1966 for counting through inversions. No pair matrix is ever made: sorting and
O(n log n) vectorised inversion counting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Rule = Literal["head", "readme"]

TOO_FEW = "fewer than two voxels"
CONSTANT_X = "the driving quantity is constant"
CONSTANT_V = "the uncertainty is constant"

NAN = float("nan")


@dataclass(frozen=True)
class RankStatistics:
    """Pair counts and what follows from them; counts are exact integers.

    Attributes:
        n: voxels.
        n0: pairs.
        discordant, concordant: pairs whose x and v differ in opposite and in the same direction.
        ties_x, ties_v, ties_both: pairs with equal x, equal v, and both.
        ucc: Pearson correlation of average ranks in [-1, 1]; NaN if x or v is constant or n < 2.
    """

    n: int
    n0: int
    discordant: int
    concordant: int
    ties_x: int
    ties_v: int
    ties_both: int
    ucc: float

    @property
    def ur(self) -> float:
        """(D + J) / n0 in [0, 1], perfect 1; cannot reach 1 where x is tied and v is not. n < 2: NaN."""
        return (self.discordant + self.ties_both) / self.n0 if self.n0 else NAN

    @property
    def ur_star(self) -> float:
        """(D + (T_v - J) / 2) / (n0 - T_x) in [0, 1], perfect 1, random 0.5. x constant or n < 2: NaN."""
        decided = self.n0 - self.ties_x
        return (self.discordant + (self.ties_v - self.ties_both) / 2) / decided if decided else NAN

    def ur_by(self, rule: Rule) -> float:
        """UR under a named tie rule; ``"readme"`` = (D + T_x + T_v - J) / n0 is for comparison only."""
        if rule == "head" or not self.n0:
            return self.ur
        return (self.discordant + self.ties_x + self.ties_v - self.ties_both) / self.n0

    @property
    def undefined(self) -> dict[str, str]:
        """Why ``ur``, ``ur_star`` or ``ucc`` is NaN; empty if all are defined."""
        if not self.n0:
            return dict.fromkeys(("ur", "ur_star", "ucc"), TOO_FEW)
        if self.ties_x == self.n0:
            return {"ur_star": CONSTANT_X, "ucc": CONSTANT_X}
        return {"ucc": CONSTANT_V} if self.ties_v == self.n0 else {}


def rank_statistics(x: ArrayLike, v: ArrayLike) -> RankStatistics:
    """Compare all pairs of (x, v), two arrays of the same length and any shape.

    ``x`` is what should drive the uncertainty down (gradient, distance), ``v`` the uncertainty. Fewer than two voxels
    or constant arrays leave NaN with a reason in ``undefined``. Raises ValueError for values that are not finite.
    """
    first, second = np.ravel(x), np.ravel(v)
    if first.shape != second.shape:
        raise ValueError(f"{first.size} driving values for {second.size} uncertainties")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a value to be ranked is not finite")
    if first.size < 2:
        return RankStatistics(int(first.size), 0, 0, 0, 0, 0, 0, NAN)
    return _from_ranks(*_dense_ranks(first), *_dense_ranks(second))


def _dense_ranks(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank of each value among the distinct ones, from 0, and how often each distinct value occurs."""
    _, ranks, counts = np.unique(values, return_inverse=True, return_counts=True)
    return ranks.astype(np.int64, copy=False), counts.astype(np.int64, copy=False)


def _from_ranks(
    x: NDArray[np.int64], x_counts: NDArray[np.int64], v: NDArray[np.int64], v_counts: NDArray[np.int64]
) -> RankStatistics:
    n, distinct = x.size, v_counts.size
    n0 = n * (n - 1) // 2
    joint = np.sort(x * distinct + v)
    ties_x, ties_v, ties_both = _pairs(x_counts), _pairs(v_counts), _pairs(_run_lengths(joint))
    discordant = count_inversions(joint % distinct)
    concordant = n0 - ties_x - ties_v + ties_both - discordant
    ucc = _correlation(_average_ranks(x, x_counts), _average_ranks(v, v_counts))
    return RankStatistics(n, n0, discordant, concordant, ties_x, ties_v, ties_both, ucc)


def _pairs(sizes: NDArray[np.int64]) -> int:
    """Pairs inside groups of the given sizes."""
    return int((sizes * (sizes - 1) // 2).sum())


def _run_lengths(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lengths of the runs of equal values in a sorted array."""
    edges = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return np.diff(edges, prepend=0, append=ordered.size)


def _average_ranks(ranks: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Ranks 1..n with ties averaged, shifted to mean 0."""
    middle = np.cumsum(counts) - (counts - 1) / 2.0 - (ranks.size + 1) / 2.0
    return np.asarray(middle[ranks], dtype=np.float64)


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Pearson correlation of two centred arrays; NaN if one is constant."""
    scale = float(np.sqrt(np.dot(first, first)) * np.sqrt(np.dot(second, second)))
    return float(np.clip(np.dot(first, second) / scale, -1.0, 1.0)) if scale else NAN


def count_inversions(ranks: NDArray[np.integer[Any]]) -> int:
    """Number of pairs a before b with ranks[a] > ranks[b] strictly; n ranks in 0..n-1, repeated or not, n < 2^31.

    The stable sorting order is a permutation with the same number of inversions. Then from the top bit down: inside
    each block of values that share the higher bits, every 0-bit adds the 1-bits before it, and the block is
    partitioned stably, zeros first. In a permutation every block is a row of known width, half zeros and half ones,
    so that what a row adds follows from the positions of its zeros alone.
    """
    n = ranks.size
    order = np.asarray(np.sort(ranks.astype(np.int64) * n + np.arange(n)) % max(n, 1), dtype=np.int32)
    total = 0
    for bit in range(max(n - 1, 0).bit_length() - 1, -1, -1):
        rows = -(-n // (2 << bit))
        added, order = _partition(_fitted(order, rows * (2 << bit)), rows, 1 << bit)
        total += added
    return total


def _fitted(order: NDArray[np.int32], size: int) -> NDArray[np.int32]:
    """Cut to ``size``, or lengthened by values in order, which add no inversion."""
    if order.size >= size:
        return order[:size]
    return np.concatenate([order, np.arange(order.size, size, dtype=np.int32)])


def _partition(order: NDArray[np.int32], rows: int, half: int) -> tuple[int, NDArray[np.int32]]:
    """Sum over ``rows`` of the 1-bits (value ``half``) before each 0-bit, and every row with its zeros first."""
    is_one = (order & half) != 0
    zeros = np.flatnonzero(~is_one)
    without_ones = rows * (rows - 1) // 2 * 2 * half * half + rows * (half * (half - 1) // 2)
    parted = np.empty((rows, 2 * half), dtype=np.int32)
    parted[:, :half] = order[zeros].reshape(rows, half)
    parted[:, half:] = order[is_one].reshape(rows, half)
    return int(zeros.sum(dtype=np.int64)) - without_ones, parted.reshape(-1)
