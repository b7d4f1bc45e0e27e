"""Damage done on purpose, to find out whether an extractor notices: of the image, or of its labels."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core.errors import InputError
from ..core.volume import Volume
from ..corruptions.registry import corrupt_volume, make_recipe

IMAGE_DAMAGE = {"blur": ("blur", 0.5), "noise": ("rician", 0.4), "motion": ("ghosting", 0.75)}
"""Our name of a kind: the corruption and its strength (``corruptions.strengths`` says what that is physically)."""

SHIFT_VOXELS = 2
Labels = NDArray[Any]


def damage_image(scan: Volume, kind: str, case_id: str, seed: int = 0) -> Volume:
    """The scan after one kind of damage; what is random follows from seed and case."""
    if kind not in IMAGE_DAMAGE:
        raise InputError(f"There is no image damage '{kind}'. Choose one of: {', '.join(IMAGE_DAMAGE)}.")
    corruption, strength = IMAGE_DAMAGE[kind]
    return corrupt_volume(scan, make_recipe(corruption, strength, seed, case_id, scan.grid.spacing_kji))


def damage_labels(labels: Volume, kind: str, case_id: str, seed: int = 0) -> Volume:
    """The label map after one kind of damage."""
    if kind not in LABEL_DAMAGE:
        raise InputError(f"There is no label damage '{kind}'. Choose one of: {', '.join(LABEL_DAMAGE)}.")
    rng = np.random.default_rng([seed, zlib.crc32(f"{case_id}/{kind}".encode())])
    return labels.with_array(LABEL_DAMAGE[kind](labels.array, rng))


def shift_boundary(labels: Labels, rng: np.random.Generator) -> Labels:
    """Every structure two voxels too fat or too thin, at random; neighbours keep their common boundary."""
    foreground = labels != 0
    if rng.random() < 0.5:
        return np.where(ndimage.binary_erosion(foreground, iterations=SHIFT_VOXELS), labels, 0).astype(labels.dtype)
    fat = ndimage.binary_dilation(foreground, iterations=SHIFT_VOXELS)
    nearest = ndimage.distance_transform_edt(~foreground, return_distances=False, return_indices=True)
    return np.where(fat, labels[tuple(nearest)], 0).astype(labels.dtype) if foreground.any() else labels


def miss_part(labels: Labels, rng: np.random.Generator) -> Labels:
    """A third of the structures' extent along one random axis is gone, as if the rater had stopped early."""
    places = np.argwhere(labels)
    if not len(places):
        return labels
    axis = int(rng.integers(labels.ndim))
    cut = np.quantile(places[:, axis], [1 / 3, 2 / 3])
    index = np.arange(labels.shape[axis])
    gone = index < cut[0] if rng.random() < 0.5 else index > cut[1]
    shape = [-1 if n == axis else 1 for n in range(labels.ndim)]
    return np.where(gone.reshape(shape), 0, labels).astype(labels.dtype)


LABEL_DAMAGE: dict[str, Callable[[Labels, np.random.Generator], Labels]] = {
    "boundary-shift": shift_boundary,
    "missing-part": miss_part,
}
