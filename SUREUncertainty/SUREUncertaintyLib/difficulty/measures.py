"""Why a scan may be hard: noise, blur, size and whether the structure is cut off, each as one number."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..corruptions.scan_noise import estimate_noise

UNUSUAL = 0.9
"""A measure is named as a reason when at least this share of the compared scans is better."""


@dataclass(frozen=True)
class Measure:
    """One number: ``worse`` is +1 when high values make a scan hard, -1 when low ones do."""

    name: str
    worse: int
    words: str


MEASURES = (
    Measure("noise", 1, "it is noisier than {better} of {count}"),
    Measure("sharpness", -1, "it is more blurred than {better} of {count}"),
    Measure("volume_ml", -1, "the structure is smaller than in {better} of {count}"),
    Measure("cut_share", 1, "the structure reaches the edge of the image, more than in {better} of {count}"),
)


def measure_scan(array: NDArray[Any], labels: NDArray[Any] | None, voxel_mm3: float) -> dict[str, float]:
    """The measures of a scan (k, j, i).

    ``noise``: standard deviation of the noise over that of the image. ``sharpness``: 99th percentile of the gradient
    a voxel over the standard deviation, both at one voxel of smoothing. With ``labels`` (reference or predicted):
    ``volume_ml`` of the foreground and ``cut_share``, the share of it on the image's outermost voxels.
    """
    image = np.asarray(array, dtype=np.float32)
    spread = float(image.std(dtype=np.float64)) or 1.0
    # against the smoothed image, so that noise alone does not count as blur
    calm = float(ndimage.gaussian_filter(image, 1.0).std(dtype=np.float64)) or 1.0
    steep = float(np.percentile(ndimage.gaussian_gradient_magnitude(image, 1.0), 99))
    found = {"noise": estimate_noise(image) / spread, "sharpness": steep / calm}
    if labels is not None and labels.any():
        foreground = labels != 0
        count = int(np.count_nonzero(foreground))
        inner = int(np.count_nonzero(foreground[tuple(slice(1, -1) if n > 2 else slice(None) for n in labels.shape)]))
        found |= {"volume_ml": count * voxel_mm3 / 1000.0, "cut_share": (count - inner) / count}
    return found


def reasons(found: Mapping[str, float], others: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """What is unusual about a scan among others, in words; empty when nothing is."""
    words = []
    for measure in MEASURES:
        values = [other[measure.name] for other in others if measure.name in other]
        if measure.name not in found or not values:
            continue
        own = measure.worse * found[measure.name]
        better = sum(measure.worse * value < own for value in values)
        if better >= UNUSUAL * len(values):
            words.append(measure.words.format(better=better, count=len(values)))
    return tuple(words)
