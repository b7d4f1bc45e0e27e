"""Which case comes at which step: a permutation an epoch, a pure function of the seed, so a resumed run repeats it."""

from __future__ import annotations

import numpy as np


def case_index(position: int, cases: int, seed: int) -> int:
    """Index of the case at a position of the endless stream of samples.

    Every epoch visits each case once, in an order drawn from (seed, epoch).
    """
    epoch, place = divmod(position, cases)
    order = np.random.default_rng((seed, epoch)).permutation(cases)
    return int(order[place])


def positions(step: int, batch: int, rank: int, world: int) -> list[int]:
    """Positions that one of ``world`` processes draws at a step; together they draw ``batch * world``."""
    start = (step * world + rank) * batch
    return list(range(start, start + batch))
