"""Inputs of one value, such as the air around a scan whose background was set to 0: what a graph says about one of them
it says about every other one, so it is asked once.

Equal by construction: the same graph gets the same bits. Graphs that draw random numbers, or may in a branch, are asked
each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Key = tuple[tuple[tuple[int, ...], int], ...]

MOST_KEPT = 64 << 20
"""Bytes of outputs that are kept; larger ones would cost more memory than their time is worth."""

_MAY_DIFFER = frozenset({"If", "Loop", "Multinomial", "RandomUniform", "TensorIterator"})
"""OpenVINO's operations whose result may differ for the same input, and those that hold graphs of their own."""


def is_repeatable(operations: Iterable[Any]) -> bool:
    """Whether an OpenVINO graph of these operations says the same whenever it is asked the same."""
    return not any(operation.get_type_name() in _MAY_DIFFER for operation in operations)


def one_value(arrays: Sequence[Float32]) -> Key | None:
    """Shape and bits of the value of every array; None where one of them holds different values."""
    found = []
    for array in arrays:
        bits = np.ascontiguousarray(array, np.float32).view(np.uint32).ravel()
        if not bits.size or bits[0] != bits[-1] or (bits != bits[0]).any():
            return None
        found.append((array.shape, int(bits[0])))
    return tuple(found)


class LatestOutputs:
    """What was said about the latest inputs of one value."""

    def __init__(self) -> None:
        self._kept: tuple[Key, list[Float32]] | None = None

    def get(self, key: Key) -> list[Float32] | None:
        """A copy for the caller to change; None where nothing is known about these inputs."""
        kept = self._kept
        return [array.copy() for array in kept[1]] if kept is not None and kept[0] == key else None

    def keep(self, key: Key, outputs: Sequence[Float32]) -> None:
        """Remember a copy of them instead of earlier ones, unless they are large."""
        if sum(array.nbytes for array in outputs) <= MOST_KEPT:
            self._kept = key, [array.copy() for array in outputs]
