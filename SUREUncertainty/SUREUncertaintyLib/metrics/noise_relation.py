"""UR, UR* and Kendall's tau over noise levels: does more noise mean more uncertainty, voxel by voxel?

Per voxel over all pairs of levels a < b: UR = #{u_b > u_a} / (K (K - 1) / 2), ties fail; UR* counts ties half;
tau is Kendall's tau-b of level against uncertainty (levels have no ties). Then the mean over voxels. With two levels
UR is the reference's UR_mu, and its UCC_mu would be 2 UR* - 1, which adds nothing. Source: as ``metrics.ranks``;
Kendall 1945 for tau-b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ranks import NAN, TOO_FEW

TOO_FEW_LEVELS = "fewer than two noise levels"
NO_CHANGE = "the uncertainty is the same at every level"


@dataclass(frozen=True)
class LevelStatistics:
    """How uncertainty follows the noise level.

    Attributes:
        n: voxels.
        levels: number of levels K.
        greater, equal, less: (voxel, pair of levels) with uncertainty up, unchanged and down at the higher level.
        tau: mean Kendall tau-b over the voxels whose uncertainty is not the same at every level; NaN without any.
        unchanged: voxels left out of ``tau``.
    """

    n: int
    levels: int
    greater: int
    equal: int
    less: int
    tau: float
    unchanged: int

    @property
    def comparisons(self) -> int:
        """Voxels times pairs of levels."""
        return self.greater + self.equal + self.less

    @property
    def ur(self) -> float:
        """Share of comparisons that rise, in [0, 1], perfect 1; no voxel or one level: NaN."""
        return self.greater / self.comparisons if self.comparisons else NAN

    @property
    def ur_star(self) -> float:
        """As ``ur`` with ties counted half: random 0.5."""
        return (self.greater + self.equal / 2) / self.comparisons if self.comparisons else NAN

    @property
    def undefined(self) -> dict[str, str]:
        """Why ``ur``, ``ur_star`` or ``tau`` is NaN; empty if all are defined."""
        if not self.comparisons:
            reason = TOO_FEW_LEVELS if self.levels < 2 else TOO_FEW
            return dict.fromkeys(("ur", "ur_star", "tau"), reason)
        return {"tau": NO_CHANGE} if self.unchanged == self.n else {}


def level_statistics(levels: Sequence[float], uncertainty: NDArray[Any]) -> LevelStatistics:
    """Compare the uncertainties of the same voxels at K distinct noise ``levels``, in any order.

    ``uncertainty``: (K, n). Raises ValueError for repeated levels, another shape or values that are not finite.
    """
    if uncertainty.ndim != 2 or uncertainty.shape[0] != len(levels):
        raise ValueError(f"expected (levels, voxels) with {len(levels)} levels, got shape {uncertainty.shape}")
    if len(set(levels)) < len(levels):
        raise ValueError("a noise level stands twice")
    if not np.isfinite(uncertainty).all():
        raise ValueError("an uncertainty is not finite")
    ascending = uncertainty[np.argsort(levels)]
    rises, ties = _rises_and_ties(ascending)
    pairs, n = len(levels) * (len(levels) - 1) // 2, int(uncertainty.shape[1])
    greater, equal = int(rises.sum()), int(ties.sum())
    tau, unchanged = _mean_tau(rises, ties, pairs)
    return LevelStatistics(n, len(levels), greater, equal, n * pairs - greater - equal, tau, unchanged)


def _rises_and_ties(ascending: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per voxel, the pairs of levels over which the uncertainty rises and stays."""
    rises = np.zeros(ascending.shape[1], dtype=np.int64)
    ties = np.zeros_like(rises)
    for low, high in combinations(range(ascending.shape[0]), 2):
        rises += ascending[high] > ascending[low]
        ties += ascending[high] == ascending[low]
    return rises, ties


def _mean_tau(rises: NDArray[np.int64], ties: NDArray[np.int64], pairs: int) -> tuple[float, int]:
    """Mean over voxels of (C - D) / sqrt(n0 (n0 - T_u)), and how many voxels have no such number."""
    changed = ties < pairs
    if not changed.any():
        return NAN, int(changed.size)
    decided = pairs - ties[changed]
    difference = 2 * rises[changed] - decided
    tau = difference / np.sqrt(pairs * decided)
    return float(tau.mean()), int(changed.size - changed.sum())
