"""From samples to what a person asks: how far could it reach, and which answers differ most."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

CONTOURS = (0.1, 0.5, 0.9)


def probability_bands(probability: NDArray[np.float32], levels: Sequence[float] = CONTOURS) -> NDArray[np.uint8]:
    """How many of the levels a structure's probability (...) reaches: the borders of the bands are its contours.

    Value 0 lies outside the widest (10 %) contour, 3 inside the narrowest (90 %).
    """
    bands = np.zeros(probability.shape, dtype=np.uint8)
    for level in levels:
        bands += probability >= np.float32(level)
    return bands


def label_distance(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """1 - IoU of two label maps, over voxels that either marks: agreement means the same label. Both empty: 0."""
    marked = (first != 0) | (second != 0)
    union = int(np.count_nonzero(marked))
    return 1.0 - int(np.count_nonzero(marked & (first == second))) / union if union else 0.0


def most_different(samples: Sequence[NDArray[np.uint8]], count: int = 2) -> tuple[int, ...]:
    """Numbers of the samples that differ most: the farthest pair, then whichever is farthest from all chosen ones.

    Raises:
        ValueError: there are fewer samples than asked for, or fewer than two are asked for.
    """
    if not 2 <= count <= len(samples):
        raise ValueError(f"cannot choose {count} of {len(samples)} samples; at least two are needed")
    distance = np.zeros((len(samples), len(samples)))
    for a, b in combinations(range(len(samples)), 2):
        distance[a, b] = distance[b, a] = label_distance(samples[a], samples[b])
    chosen = [int(n) for n in np.unravel_index(int(distance.argmax()), distance.shape)]
    if chosen[0] == chosen[1]:
        chosen = [0, 1]
    while len(chosen) < count:
        nearest = distance[chosen].min(axis=0)
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
    return tuple(chosen)
