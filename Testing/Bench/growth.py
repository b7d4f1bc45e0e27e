"""Growth between two made-up scans whose growth is known, on the tuning nodules of the lung package.

    PYTHONPATH=Testing/Studies python Testing/Bench/growth.py [--data DIR]

The second scan is the first, moved by half a pixel, with noise, and enlarged in its planes so that everything in it
has a known larger area. This tells how often growth is seen that is none, and missed where it is; it does not stand for
real second scans, which differ in breath and reconstruction. Writes Testing/Bench/results/growth.json and
docs/samples.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measured_commit import commit
from numpy.typing import NDArray
from readers.shifted_slices import middle
from samples_page import MODEL, record
from scipy import ndimage
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.evaluation.raters import find_rater_files, read_rater_arrays, read_rater_table
from SUREUncertaintyLib.follow_up.compare import LEAST_SHARE
from SUREUncertaintyLib.follow_up.growth import Growth, growth
from SUREUncertaintyLib.follow_up.sentences import PROBABLE
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.sampling.sizes import stretched
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.catalogue import find_package

EVERY = 3
"""Of the tuning nodules, in their order."""
FACTORS = (1.0, 1.5, 2.0)
"""Of areas, and so of volumes."""
NOISE = 4.0
"""Standard deviation in grey values of 0 to 255."""
LEAST_SLICES = 3
Images = NDArray[np.float32]


def later(images: Images, factor: float, rng: np.random.Generator) -> Images:
    """A second scan (k, j, i) with areas larger by a factor, half a pixel away, with other noise."""
    scale = 1.0 / np.sqrt(factor)
    matrix = np.diag([1.0, scale, scale])
    centre = (np.array(images.shape) - 1) / 2.0
    offset = centre - matrix @ (centre + np.array([0.0, 0.5, 0.5]))
    moved = ndimage.affine_transform(images, matrix, offset, order=1, mode="nearest")
    return np.asarray(np.clip(moved + rng.normal(0.0, NOISE, images.shape), 0, 255), dtype=np.float32)


def nodules(data: Path, side: int) -> Iterator[Images]:
    """The slices of tuning nodules with a few slices, in their order."""
    archive, table = find_rater_files(data / "lidc_multirater")
    arrays = read_rater_arrays(archive)
    tuning = set(find_package(MODEL).metadata.training.tuning_ids)
    lesions: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for entry in read_rater_table(table, len(arrays.images)):
        if str(entry.row) in tuning:
            lesions.setdefault(entry.lesion, []).append((entry.slice, entry.row))
    several = [slices for slices in lesions.values() if len(slices) >= LEAST_SLICES]
    for slices in several[::EVERY]:
        yield middle(arrays.images[[row for _, row in sorted(slices)]], side).astype(np.float32)


def measure(data: Path) -> dict[str, Any]:
    """Growth of every nodule by every factor, and how often it was told rightly."""
    package = find_package(MODEL)
    engine, stretch = create_engine(package, "openvino"), package.metadata.size_stretch
    found: dict[float, list[Growth]] = {factor: [] for factor in FACTORS}
    cautious: dict[float, list[Growth]] = {factor: [] for factor in FACTORS}

    def sizes(images: Images) -> tuple[NDArray[np.float64], float]:
        result = segment(Volume(images, Grid(images.shape)), package, engine)
        assert result.sampling is not None
        drawn = [size.voxels for size in result.sampling.sizes[0].drawn]
        return stretched(drawn, stretch), float(result.structures[0].voxels)

    left_out = 0
    for number, images in enumerate(nodules(data, package.metadata.patch[0])):
        before, own = sizes(images)
        if not own:
            left_out += 1
            continue
        for factor in FACTORS:
            after, other = sizes(later(images, factor, np.random.default_rng(number)))
            found[factor].append(growth(before, after, (own, other), LEAST_SHARE, None, matched=True))
            cautious[factor].append(growth(before, after, (own, other), LEAST_SHARE, None))
        print(f"nodule {number + 1}: {[round(rows[-1].grown_more, 2) for rows in found.values()]}", flush=True)
    return {
        "commit": commit(),
        "nodules": len(found[1.0]),
        "left_out": left_out,
        "factors": {str(factor): _summary(rows, factor) for factor, rows in found.items()},
        "cautious": {str(factor): _summary(rows, factor) for factor, rows in cautious.items()},
    }


def _summary(rows: list[Growth], factor: float) -> dict[str, float]:
    held = [row.share.low <= factor - 1.0 <= row.share.high for row in rows]
    return {
        "median_share": round(float(np.median([row.share.value for row in rows])), 3),
        "median_probability": round(float(np.median([row.grown_more for row in rows])), 3),
        "told": round(float(np.mean([row.grown_more >= PROBABLE for row in rows])), 3),
        "told_shrunk": round(float(np.mean([row.shrunk_more >= PROBABLE for row in rows])), 3),
        "held": round(float(np.mean(held)), 3),
    }


def main() -> None:
    """Measure and write."""
    record(measure, __doc__ or "", "growth.json")


if __name__ == "__main__":
    main()
