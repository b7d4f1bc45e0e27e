"""What dividing the logits of samples by a temperature does, and how far sizes must be stretched, on the tuning slices.

    PYTHONPATH=Testing/Studies python Testing/Bench/sample_temperature.py [--data DIR] [--amend]

Writes Testing/Bench/results/sample-temperature.json and docs/hierarchical.md. Tuning patients were never trained on.
The temperature is the one with the least log loss of the mean probability against readers (Guo et al. 2017);
threshold and stretch are fitted at it. ``--amend`` puts the three numbers into the package.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from measured_commit import commit
from numpy.typing import NDArray
from readers.post_hoc_fit import TEMPERATURES, proper_scores, tempered
from readers.reader_page import TEMPERATURE, write_page
from readers.reader_summary import CODEC
from readers.shifted_slices import middle
from recorded_results import RecordedResults
from SUREUncertaintyLib.evaluation.evaluate_raters import (
    SLICE_METRICS,
    SliceScores,
    by_nodule,
    nodule_means,
    score_slice,
)
from SUREUncertaintyLib.evaluation.raters import (
    RaterArrays,
    RaterSlice,
    find_rater_files,
    majority,
    read_rater_arrays,
    read_rater_table,
)
from SUREUncertaintyLib.evaluation.slice_predictor import SlicePrediction, create_slice_predictor
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.metrics.bootstrap import grouped_bootstrap, paired_bootstrap
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import amend_package
from SUREUncertaintyLib.training.calibration import TuningSizes, best_threshold, size_stretch

ROOT = Path(__file__).resolve().parents[2]
MODEL = "lung-nodule-ct"
SAMPLES = 16
PROPER = ("brier", "log_loss")
"""Proper scores of the mean probability: a reader's pixels are the outcomes."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """One tuning slice: its samples at temperature 1, and what the readers drew (readers, H, W)."""

    entry: RaterSlice
    prediction: SlicePrediction
    readings: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class AtTemperature:
    """All slices at one temperature: their scores, and the map with the pixels where the answer is wrong."""

    scores: Sequence[SliceScores]
    errors: Sequence[tuple[NDArray[np.float32], NDArray[np.bool_]]]
    empty: int


def tuning_slices(package: Package, data: Path) -> tuple[RaterArrays, list[RaterSlice]]:
    """The slices that the package was tuned on, as much of them as it sees."""
    archive, table = find_rater_files(data / "lidc_multirater")
    whole, side = read_rater_arrays(archive), package.metadata.patch[0]
    arrays = RaterArrays(middle(whole.images, side), middle(whole.bits, side), whole.raters)
    tuning = {int(name) for name in package.metadata.training.tuning_ids}
    return arrays, [entry for entry in read_rater_table(table, len(arrays.images)) if entry.row in tuning]


def draw(package: Package, data: Path) -> list[Drawn]:
    """The samples of every tuning slice, those of one nodule from the same noise."""
    arrays, entries = tuning_slices(package, data)
    lesions = {lesion: number for number, lesion in enumerate(dict.fromkeys(entry.lesion for entry in entries))}
    predictor = create_slice_predictor(untempered(package), create_engine(package, "openvino"), SAMPLES)
    return [
        Drawn(entry, predictor.predict(arrays.images[entry.row], (lesions[entry.lesion],)), arrays.masks(entry.row))
        for entry in entries
    ]


def untempered(package: Package) -> Package:
    """The package as it answers at temperature 1."""
    metadata = package.metadata
    fitted = metadata.raw["uncertainty"] | {"sample_temperature": 1.0}
    return replace(package, metadata=replace(metadata, raw={**metadata.raw, "uncertainty": fitted}))


def at_temperature(drawn: Sequence[Drawn], temperature: float) -> AtTemperature:
    """Every slice's scores with the logits of its samples divided."""
    scores, errors, empty = [], [], 0
    for one in drawn:
        prediction = tempered(one.prediction, temperature)
        scored = score_slice(one.entry, prediction, one.readings)
        scored.values.update(proper_scores(prediction, one.readings))
        scores.append(scored)
        errors.append((prediction.uncertainty, prediction.labels != majority(one.readings)))
        empty += not prediction.labels.any()
    return AtTemperature(scores, errors, empty)


def summary(found: AtTemperature, plain: AtTemperature) -> dict[str, Any]:
    """Means over patients, and their differences from temperature 1 with intervals."""
    nodules, before = by_nodule(found.scores), by_nodule(plain.scores)
    names = [name for name in SLICE_METRICS if name != "area_coverage"] + list(PROPER)
    patients = [patient for patient, _ in nodules]
    ours, theirs = nodule_means(nodules, names), nodule_means(before, names)
    means = {name: round(grouped_bootstrap(ours[name], patients).mean, 5) for name in names}
    pairs = {name: paired_bootstrap(ours[name], theirs[name], patients) for name in names}
    differences = {name: [round(x, 5) for x in (pair.mean, pair.low, pair.high)] for name, pair in pairs.items()}
    return {"means": means, "differences": differences, "empty": found.empty}


def stretches(drawn: Sequence[Drawn]) -> dict[str, float]:
    """The factor that holds 90 % of the readers: of slices, and of the sums over a nodule's slices."""
    slices = [
        TuningSizes(one.entry.patient, one.prediction.sizes, one.readings.sum(axis=(1, 2)).astype(np.float64))
        for one in drawn
    ]
    nodules: dict[tuple[str, str], list[TuningSizes]] = {}
    for one, sizes in zip(drawn, slices, strict=True):
        nodules.setdefault(one.entry.lesion, []).append(sizes)
    whole = [
        TuningSizes(parts[0].group, sum(part.samples for part in parts), sum(part.readers for part in parts))
        for parts in nodules.values()
    ]
    return {"slice": size_stretch(slices), "nodule": size_stretch(whole)}


def measure(package: Package, data: Path) -> dict[str, Any]:
    """Every temperature, the chosen one, and threshold and stretch at it."""
    drawn = draw(package, data)
    found = {temperature: at_temperature(drawn, temperature) for temperature in TEMPERATURES}
    rows = {f"{temperature:g}": summary(one, found[1.0]) for temperature, one in found.items()}
    chosen = min(TEMPERATURES, key=lambda temperature: rows[f"{temperature:g}"]["means"]["log_loss"])
    factors = stretches(drawn)
    return {
        "commit": commit(),
        "slices": len(drawn),
        "nodules": len({one.entry.lesion for one in drawn}),
        "patients": len({one.entry.patient for one in drawn}),
        "samples": SAMPLES,
        "temperatures": rows,
        "chosen": chosen,
        "threshold": best_threshold(found[chosen].errors),
        "stretch": factors,
    }


def amend(package: Package, found: Mapping[str, Any]) -> None:
    """Put temperature, threshold and the wider of the two stretches into the package."""
    fitted = {
        "threshold": found["threshold"],
        "size_stretch": max(found["stretch"].values()),
        "sample_temperature": found["chosen"],
        "fitted_on": f"{found['slices']} tuning cases that were not trained on",
    }
    amend_package(package, {"uncertainty": {**package.metadata.raw["uncertainty"], **fitted}})


def main() -> None:
    """Measure, write, and amend the package if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--amend", action="store_true", help="put the fitted numbers into the package")
    options = parser.parse_args()
    package = find_package(MODEL)
    found = measure(package, options.data)
    TEMPERATURE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    write_page(RecordedResults(CODEC), ROOT / "docs")
    if options.amend:
        amend(package, found)


if __name__ == "__main__":
    main()
