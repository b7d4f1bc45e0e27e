"""When the uncertainty losses set in: not before a share of the epochs, then on an exponential ramp."""

from __future__ import annotations


def ramp(epoch: float, full: float, first: float) -> float:
    """a(e) = 0.01^(1 - (e - first) / (full - first)) from ``first`` to ``full``, 0 before, 1 after.

    Args:
        epoch: position, from 0; fractions are allowed.
        full: epoch of the full weight, the length of the training in the publication.
        first: epoch of the first uncertainty loss.
    """
    if epoch < first:
        return 0.0
    return float(0.01 ** max(0.0, 1.0 - (epoch - first) / (full - first)))
