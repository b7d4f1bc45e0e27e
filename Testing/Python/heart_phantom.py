"""A made-up beating heart in short-axis slices, bright enough in its cavity for ``heart-lv-cine`` to outline it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.core.volume_sequence import VolumeSequence

SPACING = (1.4, 1.4, 8.0)
FRAME_MS = 70.0


def beating_heart(frames: int = 12, size: int = 128, slices: int = 7) -> VolumeSequence:
    """Body, lungs, both ventricles and the wall between them over one cycle, which begins at end-diastole."""
    shape = (slices, size, size)
    grid = Grid(shape, SPACING, (-size * 0.7, -size * 0.7, -4.0 * (slices - 1)))
    noise = np.random.default_rng(1)
    still = noise.normal(0.0, 6.0, shape)
    scans = []
    for number in range(frames):
        drawn = _frame(shape, (1.0 - np.cos(2.0 * np.pi * number / frames)) / 2.0) + still
        drawn = np.clip(drawn + noise.normal(0.0, 4.0, shape), 0.0, 255.0)
        scans.append(Volume(ndimage.gaussian_filter(drawn, (0.0, 0.7, 0.7)).astype(np.int16), grid, "heart"))
    return VolumeSequence(tuple(scans), "heart", tuple(FRAME_MS * n for n in range(frames)))


def _frame(shape: tuple[int, int, int], contracted: float) -> NDArray[np.float64]:
    """Grey values of one frame; ``contracted`` is 0 at end-diastole and 1 at end-systole."""
    slices, size, _ = shape
    k, j, i = np.indices(shape).astype(float)
    x, y, z = (i - size * 0.55) * SPACING[0], (j - size * 0.5) * SPACING[1], (k - (slices - 1) / 2) * SPACING[2]
    taper = np.sqrt(np.clip(1.0 - (np.clip(z, 0.0, None) / 40.0) ** 2, 0.05, 1.0))
    radius, wall = 25.0 - 8.0 * contracted, 9.0 + 3.0 * contracted
    distance = np.hypot(x, y)
    body = ((i - size / 2) / (size * 0.46)) ** 2 + ((j - size / 2) / (size * 0.40)) ** 2 < 1.0
    lungs = (((x + 45) / 30) ** 2 + (y / 45) ** 2 < 1.0) | (((x - 52) / 22) ** 2 + ((y + 5) / 40) ** 2 < 1.0)
    image = np.full(shape, 90.0)
    for where, grey in (
        (~body, 8.0),
        (lungs & body, 25.0),
        (np.hypot(x + 28, (y + 12) / 1.2) < 26.0, 190.0),
        (distance < (radius + wall) * taper, 60.0),
        (distance < radius * taper, 200.0),
    ):
        image[where] = grey
    return image


def write_cine(sequence: VolumeSequence, path: Path) -> None:
    """Write a 4D NIfTI file, whose fourth axis counts seconds."""
    frames = []
    for frame in sequence.frames:
        image = sitk.GetImageFromArray(frame.array)
        image.SetSpacing(frame.grid.spacing)
        image.SetOrigin(frame.grid.origin)
        frames.append(image)
    sitk.WriteImage(sitk.JoinSeries(frames, 0.0, FRAME_MS / 1000.0), str(path))
