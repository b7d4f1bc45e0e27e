"""Results of two scans of a patient, with samples of known sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.sampling.samples_result import Sampling, SamplingOptions, StructureSize
from SUREUncertaintyLib.inference.sampling.sizes import Diameter, SampleSize, size_interval
from two_blobs import two_blobs

VOXEL_ML = 0.01


def sampled_result(name: str, ml: float, day: str = "", seed: int = 0) -> SegmentationResult:
    """One structure, whose 101 samples lie within 0.1 ml of its volume."""
    given = two_blobs(name=name)
    drawn = tuple(SampleSize(round(size / VOXEL_ML)) for size in ml + 0.1 * np.linspace(-1, 1, 101))
    interval = size_interval([size.voxels for size in drawn])
    longest = Diameter(10.0 * ml, size_interval([10.0 * ml] * 101))
    size = StructureSize(5, "left blob", interval, VOXEL_ML, drawn, longest, longest)
    row = replace(given.structures[0], volume_ml=ml, volume_low_ml=ml - 0.1, volume_high_ml=ml + 0.1)
    sampling = Sampling(SamplingOptions(20, seed), {}, sizes=(size,))
    image = given.image.with_array(given.image.array + round(100 * ml))
    result = replace(given, image=replace(image, acquired=day), structures=(row,), regions=(), sampling=sampling)
    return replace(result, notices=(), structures=sampling.with_sizes(result.structures), provenance=provenance(seed))


def provenance(seed: int) -> dict[str, Any]:
    drawn = {"samples": 20, "size_samples": 101, "size_stretch": 1.0, "least_voxels": 5, "levels": "all"}
    spacing, shape = [1.0, 1.0, 2.0], [8, 64, 64]
    return {
        "model": {"name": "tiny", "version": "1", "fingerprint": "f"},
        "sampling": drawn,
        "seed": seed,
        "options": {"patch_kji": [64, 64]},
        "geometry": {"input": {"spacing_mm": spacing}, "regions": [{"model_grid": {"shape_kji": shape}}]},
    }
