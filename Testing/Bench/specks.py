"""How large specks in samples are, and what becomes of samples without them, on the tuning slices of the lung package.

    PYTHONPATH=Testing/Studies python Testing/Bench/specks.py [--data DIR]

Writes Testing/Bench/results/specks.json and docs/samples.md. Tuning patients were never trained on; the least size was
chosen on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from measured_commit import commit
from numpy.typing import NDArray
from readers.shifted_slices import middle
from samples_page import MODEL, record
from scipy import ndimage
from SUREUncertaintyLib.arrays.normalisation import normalise
from SUREUncertaintyLib.evaluation.raters import RaterArrays, find_rater_files, read_rater_arrays
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.sampling.draw import SampleSource
from SUREUncertaintyLib.inference.sampling.encoding import latent_layout
from SUREUncertaintyLib.inference.sampling.sizes import LEAST_SAMPLES, size_interval
from SUREUncertaintyLib.inference.sampling.specks import LEAST_VOXELS, without_specks
from SUREUncertaintyLib.metrics.multirater import ged_squared
from SUREUncertaintyLib.packages.catalogue import find_package

EVERY = 3
"""Of the tuning slices, in their order."""
SHOWN = 16
"""Samples of a slice that are compared with readers."""
LEAST = (1, 3, LEAST_VOXELS, 10, 25)
Mask = NDArray[np.uint8]


def loose_pieces(mask: Mask, answer: Mask) -> list[int]:
    """Sizes of the pieces (8 neighbours) that miss an answer."""
    pieces, count = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    met = {0, *np.unique(pieces[answer > 0]).tolist()}
    return [int(sizes[number]) for number in range(1, count + 1) if number not in met]


def measure(data: Path) -> dict[str, Any]:
    """Sizes of loose pieces, and GED^2 and coverage by the least size that is kept."""
    package = find_package(MODEL)
    metadata, layout, engine = package.metadata, latent_layout(package.metadata), create_engine(package, "openvino")
    archive, _ = find_rater_files(data / "lidc_multirater")
    whole, side = read_rater_arrays(archive), metadata.patch[0]
    arrays = RaterArrays(middle(whole.images, side), middle(whole.bits, side), whole.raters)
    rows = [int(name) for name in metadata.training.tuning_ids][::EVERY]
    loose: list[list[int]] = []
    ged: dict[int, list[float]] = {least: [] for least in LEAST}
    held: dict[int, list[bool]] = {least: [] for least in LEAST}
    for number, row in enumerate(rows):
        image = normalise(arrays.images[row][np.newaxis], metadata.normalisation)[np.newaxis]
        temperature = metadata.sample_temperature
        source = SampleSource(
            image, engine, layout, metadata.patch, metadata.overlap, (0, number), temperature=temperature
        )
        drawn = list(source.draw(LEAST_SAMPLES))
        answer = np.mean(drawn, axis=0).argmax(0).astype(np.uint8)
        samples = [sample.argmax(0).astype(np.uint8) for sample in drawn]
        loose += [loose_pieces(sample[0], answer[0]) for sample in samples[:SHOWN]]
        masks = arrays.masks(row)
        for least in LEAST:
            cleaned = np.stack([without_specks(sample, answer, least)[0] for sample in samples])
            ged[least].append(ged_squared(cleaned[:SHOWN], masks))
            interval = size_interval(cleaned.sum((1, 2)), stretch=metadata.size_stretch)
            held[least] += [interval.holds(int(mask.sum())) for mask in masks]
    sizes = np.array([size for pieces in loose for size in pieces])
    return {
        "commit": commit(),
        "slices": len(rows),
        "samples": len(loose),
        "with_loose": round(float(np.mean([bool(pieces) for pieces in loose])), 3),
        "smaller": {str(least): round(float((sizes < least).mean()), 3) for least in LEAST},
        "ged": {str(least): round(float(np.mean(ged[least])), 4) for least in LEAST},
        "held": {str(least): round(float(np.mean(held[least])), 3) for least in LEAST},
    }


def main() -> None:
    """Measure and write."""
    record(measure, __doc__ or "", "specks.json")


if __name__ == "__main__":
    main()
