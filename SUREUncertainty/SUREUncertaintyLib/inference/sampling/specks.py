"""Specks in samples: pieces of a few voxels beside the structure are noise of the draw, not part of the answer.

The rule: of each structure in a sample, a piece of fewer than ``least`` voxels is taken out when none of its voxels
lies in the mean answer's structure. Voxels that touch by a face, an edge or a corner are one piece (26 neighbours, 8
in a slice). What is taken out is background. Maps of uncertainty are of the samples as they were drawn.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Channels = NDArray[np.uint8]

LEAST_VOXELS = 5
"""On 175 tuning slices 21 % of the samples of ``lung-nodule-ct`` have a piece beside the mean answer, half of these
smaller than this; without them GED^2 and the interval's coverage stay as they are."""

_TOUCHING = np.ones((3, 3, 3), dtype=np.uint8)


def without_specks(channels: Channels, answer: Channels, least: int) -> Channels:
    """A sample without its specks; both are label channels (k, j, i), 0 for background."""
    from scipy import ndimage  # takes a while to load, and the panel needs only the numbers here

    cleaned = channels.copy()
    for channel in np.unique(channels[channels != 0]):
        pieces, count = ndimage.label(channels == channel, _TOUCHING)
        kept = np.bincount(pieces.ravel(), minlength=count + 1) >= least
        kept[pieces[answer == channel]] = True
        kept[0] = True
        cleaned[~kept[pieces]] = 0
    return cleaned


class DrawnSamples:
    """The label channels of samples as they are drawn, packed: the mean answer is known when all of them are."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """``shape``: (k, j, i) of a sample."""
        self._shape = shape
        self._packed: list[bytes] = []

    def add(self, channels: Channels) -> None:
        """Keep one more sample."""
        self._packed.append(zlib.compress(np.ascontiguousarray(channels).tobytes(), 1))

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[Channels]:
        for packed in self._packed:
            yield np.frombuffer(zlib.decompress(packed), np.uint8).reshape(self._shape)
