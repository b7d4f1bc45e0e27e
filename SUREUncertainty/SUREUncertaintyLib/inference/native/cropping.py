"""The box of an image that the network sees: what is not zero, as nnU-Net crops, or what is bright, as MONAI does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from ...packages.pipeline import Pipeline
from .axes import Box


def crop_box(image: NDArray[Any], pipeline: Pipeline) -> Box:
    """The box that a pipeline wants of an image (C, ...); all of it where nothing is to be cropped or found.

    For ``"scan"`` the image is the first channel as it is stored.
    """
    if pipeline.crop == "nonzero":
        return box_around(nonzero_mask(image))
    if pipeline.crop == "none":
        return _everything(image.shape[1:])
    box = box_around(np.asarray((image > pipeline.crop_above).any(axis=0)))
    margin = pipeline.crop_margin
    a, b, c = (
        slice(max(part.start - margin, 0), min(part.stop + margin, length))
        for part, length in zip(box, image.shape[1:], strict=True)
    )
    return (a, b, c)


def nonzero_mask(image: NDArray[Any]) -> NDArray[np.bool_]:
    """Voxels (...) that are not zero in any channel of (C, ...), holes filled."""
    mask = image[0] != 0
    for channel in image[1:]:
        mask |= channel != 0
    return np.asarray(binary_fill_holes(mask), dtype=bool)


def box_around(mask: NDArray[np.bool_]) -> Box:
    """The smallest box around a 3D mask; all of it where the mask is empty."""
    found = []
    for axis in range(3):
        others = tuple(n for n in range(3) if n != axis)
        places = np.flatnonzero(mask.any(axis=others))
        found.append(slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, mask.shape[axis]))
    return (found[0], found[1], found[2])


def _everything(shape: tuple[int, ...]) -> Box:
    return (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2]))
