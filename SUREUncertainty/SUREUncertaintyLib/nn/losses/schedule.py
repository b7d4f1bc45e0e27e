"""When the uncertainty losses set in: not before a share of the epochs, then on an exponential ramp."""

from __future__ import annotations


def ramp(epoch: float, epochs: float, first: float) -> float:
    """a(e) = 0.01^(1 - (e - first) / (epochs - first)) from ``first`` on, 0 before.

    Args:
        epoch: position, from 0; fractions are allowed.
        epochs: length of the training.
        first: epoch of the first uncertainty loss.
    """
    if epoch < first:
        return 0.0
    return float(0.01 ** (1.0 - (epoch - first) / (epochs - first)))
