"""Why a scan may be hard: noise, blur, size and whether the structure is cut off, each as one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..corruptions.scan_noise import estimate_noise

UNUSUAL = 0.9
"""A measure is named as a reason when at least this share of the compared scans is better."""


@dataclass(frozen=True)
class Measure:
    """One number: ``worse`` is +1 when high values make a scan hard, -1 when low ones do. ``title`` is for tables."""

    name: str
    title: str
    worse: int
    words: str


MEASURES = (
    Measure("noise", "Noise, share of the image's spread", 1, "it is noisier than {better} of {count}"),
    Measure("sharpness", "Sharpness of edges", -1, "it is more blurred than {better} of {count}"),
    Measure("volume_ml", "Volume of the structures (ml)", -1, "the structure is smaller than in {better} of {count}"),
    Measure(
        "cut_share",
        "Share at the edge of the image",
        1,
        "the structure reaches the edge of the image, more than in {better} of {count}",
    ),
)


@dataclass(frozen=True)
class MeasurePlace:
    """One measure of a scan among those of others.

    Attributes:
        low, median, high: 10th, 50th and 90th percentile of the others.
        better: of the ``count`` others, how many are better in this measure.
        words: the finding for people, empty where nothing is unusual.
    """

    name: str
    title: str
    value: float
    low: float
    median: float
    high: float
    better: int
    count: int
    words: str = ""


def measure_scan(array: NDArray[Any], labels: NDArray[Any] | None, voxel_mm3: float) -> dict[str, float]:
    """The measures of a scan (k, j, i).

    ``noise``: standard deviation of the noise over that of the image. ``sharpness``: 99th percentile of the gradient
    a voxel over the standard deviation, both at one voxel of smoothing. With ``labels`` (reference or predicted):
    ``volume_ml`` of the foreground and ``cut_share``, the share of it on the image's outermost voxels.
    """
    from scipy import ndimage  # takes a while to load, and panels need only the words below

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


def places(found: Mapping[str, float], others: Sequence[Mapping[str, float]]) -> tuple[MeasurePlace, ...]:
    """Every measure that the scan and some of the others have."""
    placed = []
    for measure in MEASURES:
        values = [other[measure.name] for other in others if measure.name in other]
        if measure.name in found and values:
            placed.append(_place(measure, found[measure.name], values))
    return tuple(placed)


def reasons(found: Mapping[str, float], others: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """What is unusual about a scan among others, in words; empty when nothing is."""
    return tuple(place.words for place in places(found, others) if place.words)


def _place(measure: Measure, value: float, values: Sequence[float]) -> MeasurePlace:
    better = sum(measure.worse * other < measure.worse * value for other in values)
    unusual = better >= UNUSUAL * len(values)
    words = measure.words.format(better=better, count=len(values)) if unusual else ""
    low, median, high = (float(part) for part in np.percentile(values, (10, 50, 90)))
    return MeasurePlace(measure.name, measure.title, value, low, median, high, better, len(values), words)
