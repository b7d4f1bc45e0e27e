"""Which outline of a nodule should be the answer: that of the mean of samples, or the U-Net's own? On tuning slices.

    PYTHONPATH=Testing/Studies python Testing/Bench/nodule_outline.py [--data DIR]

Writes Testing/Bench/results/nodule-outline.json and docs/hierarchical.md. Tuning patients were never trained on; the
package is taken as it ships, with the temperature that was fitted on them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from measured_commit import commit
from numpy.typing import NDArray
from readers.outline_page import OUTLINE
from readers.post_hoc_fit import joined, proper_scores
from readers.reader_page import write_page
from readers.reader_summary import CODEC
from recorded_results import RecordedResults
from sample_temperature import MODEL, ROOT, SAMPLES, tuning_slices
from SUREUncertaintyLib.evaluation.evaluate_raters import SliceScores, by_nodule, nodule_means, score_slice
from SUREUncertaintyLib.evaluation.raters import RaterArrays, RaterSlice, majority
from SUREUncertaintyLib.evaluation.slice_predictor import OneAnswer, SlicePrediction, create_slice_predictor
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.metrics.bootstrap import grouped_bootstrap, paired_bootstrap
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package

MEAN, OWN, BOTH = "mean of the samples", "the U-Net's own answer", "mean of both"
METRICS = ("dice_majority", "brier", "log_loss")


def answers(mean: SlicePrediction, own: SlicePrediction) -> dict[str, SlicePrediction]:
    """The prediction with each outline and the probability that it is made from."""
    return {name: joined(mean, own, share) for name, share in ((MEAN, 0.0), (OWN, 1.0), (BOTH, 0.5))}


def scored(entry: RaterSlice, prediction: SlicePrediction, readings: NDArray[np.uint8]) -> SliceScores:
    """A slice's scores with Brier score and log loss."""
    found = score_slice(entry, prediction, readings)
    found.values.update(proper_scores(prediction, readings))
    return found


def measure(package: Package, data: Path) -> dict[str, Any]:
    """Every outline's scores, its differences from the mean of samples, and outlines that are missing or too many."""
    arrays, entries = tuning_slices(package, data)
    engine = create_engine(package, "openvino")
    samples, own = create_slice_predictor(package, engine, SAMPLES, sizes=False), OneAnswer(package, engine)
    lesions = {lesion: number for number, lesion in enumerate(dict.fromkeys(entry.lesion for entry in entries))}
    found: dict[str, list[SliceScores]] = {MEAN: [], OWN: [], BOTH: []}
    missed, added = dict.fromkeys(found, 0), dict.fromkeys(found, 0)
    for entry in entries:
        image, key, readings = arrays.images[entry.row], (lesions[entry.lesion],), arrays.masks(entry.row)
        is_marked = bool(majority(readings).any())
        for name, prediction in answers(samples.predict(image, key), own.predict(image, key)).items():
            found[name].append(scored(entry, prediction, readings))
            missed[name] += is_marked and not prediction.labels.any()
            added[name] += not is_marked and bool(prediction.labels.any())
    rows = {name: {**summary(found[name], found[MEAN]), "missed": missed[name], "added": added[name]} for name in found}
    counts = {"slices": len(entries), "marked": marked_slices(arrays, entries)}
    return {"commit": commit(), "model": MODEL, **counts, "samples": SAMPLES, "outlines": rows}


def marked_slices(arrays: RaterArrays, entries: list[RaterSlice]) -> int:
    """Slices on which most readers marked something."""
    return sum(bool(majority(arrays.masks(entry.row)).any()) for entry in entries)


def summary(scores: list[SliceScores], plain: list[SliceScores]) -> Mapping[str, Any]:
    """Means over patients, and their differences from the mean of samples with intervals."""
    nodules, before = by_nodule(scores), by_nodule(plain)
    patients = [patient for patient, _ in nodules]
    ours, theirs = nodule_means(nodules, METRICS), nodule_means(before, METRICS)
    pairs = {name: paired_bootstrap(ours[name], theirs[name], patients) for name in METRICS}
    return {
        "means": {name: round(grouped_bootstrap(ours[name], patients).mean, 5) for name in METRICS},
        "differences": {name: [round(x, 5) for x in (pair.mean, pair.low, pair.high)] for name, pair in pairs.items()},
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options = parser.parse_args()
    OUTLINE.write_text(json.dumps(measure(find_package(MODEL), options.data), indent=1) + "\n", encoding="utf-8")
    write_page(RecordedResults(CODEC), ROOT / "docs")


if __name__ == "__main__":
    main()
