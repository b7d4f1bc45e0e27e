"""A scan that needs no download: a head-like ellipsoid with a curved grey body on each side, and seeded noise."""

from __future__ import annotations

import numpy as np

from .roi import Roi
from .volume import Grid, Volume

PHANTOM_ROIS = (
    Roi("Left", (-40.0, -25.0, -20.0), (-6.0, 25.0, 16.0)),
    Roi("Right", (6.0, -25.0, -20.0), (40.0, 25.0, 16.0)),
)
"""Boxes around the two bodies, RAS mm."""

_SHAPE = (64, 80, 96)
_CENTRES_MM = ((-23.0, 0.0, -2.0), (23.0, 0.0, -2.0))
_FLUID, _WHITE, _GREY = 60.0, 170.0, 115.0


def make_phantom(seed: int = 0, noise: float = 6.0) -> Volume:
    """96 x 80 x 64 voxels of 1 mm around RAS (0, 0, 0), int16.

    Args:
        seed: of the noise.
        noise: its spread; white matter is 170, grey bodies 115, air 0.
    """
    k, j, i = np.indices(_SHAPE, dtype=np.float32)
    right, front, up = i - (_SHAPE[2] - 1) / 2, j - (_SHAPE[1] - 1) / 2, k - (_SHAPE[0] - 1) / 2
    head = (right / 46) ** 2 + (front / 38) ** 2 + (up / 30) ** 2
    image = np.where(head < 1, _WHITE, 0.0)
    image[(head < 1) & (head > 0.88)] = _FLUID
    for r, a, s in _CENTRES_MM:
        along = (front - a) / 19
        bend = 6 * along**2
        across = ((np.abs(right) - abs(r) + bend) / 6) ** 2 + ((up - s - 3 * along) / 6) ** 2
        image[(np.sign(right) == np.sign(r)) & (across + along**2 < 1)] = _GREY
    image += np.random.default_rng(seed).normal(0, noise, _SHAPE) * (image > 0)
    return Volume(np.clip(image, 0, None).astype(np.int16), _grid(), "SURE phantom", "MR")


def _grid() -> Grid:
    """Axes to the right, front and up, which is LPS with its first two axes turned."""
    k, j, i = _SHAPE
    origin = ((i - 1) / 2, (j - 1) / 2, -(k - 1) / 2)
    return Grid(_SHAPE, (1.0, 1.0, 1.0), origin, (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0))
