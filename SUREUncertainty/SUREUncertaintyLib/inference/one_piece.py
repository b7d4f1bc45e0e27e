"""Structures that are one piece: whatever else a network outlines is taken back, and marked as not known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..arrays.heads import Head


def keep_largest_pieces(channels: NDArray[np.float32], head: Head) -> NDArray[np.float32]:
    """Blended channels (C, k, j, i) in which every structure is one piece, changed in place.

    Of each structure the piece with the most voxels stays; voxels that touch at a corner are one piece. In the others
    the channels say that nothing is known: background by a hair, as uncertain as can be, so that they stay in the
    upper end of a volume range and among the uncertain regions.
    """
    classes = head.classes(len(channels))
    winner = channels[:classes].argmax(axis=0)
    touching = np.ones((3,) * winner.ndim, bool)
    undecided = head.undecided(len(channels))
    for value in range(1, classes):
        pieces, count = ndimage.label(winner == value, touching)
        if count > 1:
            sizes = np.bincount(pieces.ravel())[1:]
            further = (pieces > 0) & (pieces != 1 + int(sizes.argmax()))
            channels[:, further] = undecided[:, np.newaxis]
    return channels
