"""The released lung package against four readers on the validation patients, never trained or tuned on.

    PYTHONPATH=Testing/Studies python Testing/Bench/lung_accuracy.py [--data DIR]

Writes Testing/Bench/results/lung-nodule-ct.json, renews docs/hierarchical.md and puts the numbers on the model card.
Refuses to run when a patient of these slices was trained or tuned on. Also compares the maps that each latent level
makes alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from readers.reader_page import PACKAGE, write_page
from readers.reader_summary import CODEC
from readers.shifted_slices import central_rows, middle
from recorded_results import RecordedResults
from SUREUncertaintyLib.arrays.normalisation import normalise
from SUREUncertaintyLib.evaluation.evaluate_raters import SliceScores, score_slice, summarise_raters
from SUREUncertaintyLib.evaluation.raters import (
    RaterArrays,
    RaterSlice,
    find_rater_files,
    read_rater_arrays,
    read_rater_table,
)
from SUREUncertaintyLib.evaluation.slice_predictor import create_slice_predictor
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.sampling.draw import SampleSource
from SUREUncertaintyLib.inference.sampling.encoding import latent_layout
from SUREUncertaintyLib.inference.sampling.statistics import SampleStatistics
from SUREUncertaintyLib.metrics.multirater import correlation
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import amend_package

ROOT = Path(__file__).resolve().parents[2]
MODEL = "lung-nodule-ct"
SAMPLES = 16
BINS = 10
LEVEL_SAMPLES = 20
FLAT = 1e-4
"""Nats: a map that never rises above it shows nothing."""


class Reliability:
    """Mean probability and mean share of readers in bins of probability, over the pixels of all slices."""

    def __init__(self) -> None:
        self._sums = np.zeros((3, BINS))

    def add(self, probability: NDArray[Any], share: NDArray[Any]) -> None:
        """Count the pixels of one slice."""
        p, q = probability.ravel().astype(np.float64), share.ravel().astype(np.float64)
        places = np.minimum((p * BINS).astype(int), BINS - 1)
        for row, weights in zip(self._sums, (np.ones_like(p), p, q), strict=True):
            row += np.bincount(places, weights, BINS)

    def rows(self) -> list[dict[str, float]]:
        """One a bin that holds pixels."""
        counts, p, q = self._sums
        return [
            {"pixels": int(counts[n]), "probability": round(p[n] / counts[n], 4), "share": round(q[n] / counts[n], 4)}
            for n in range(BINS)
            if counts[n]
        ]


def refuse_overlap(package: Package, table: Path, rows: int, entries: Sequence[RaterSlice]) -> None:
    """Stop when a patient was trained or tuned on."""
    training = package.metadata.raw.get("training", {})
    seen = {str(i) for key in ("training_ids", "tuning_ids") for i in training.get(key, [])}
    patients = {entry.patient for entry in read_rater_table(table, rows) if str(entry.row) in seen}
    shared = sorted(patients & {entry.patient for entry in entries})
    if not seen or shared:
        raise SystemExit(f"Not held-out: {', '.join(shared) or 'the package lists no training cases'}.")


def score(
    package: Package, arrays: RaterArrays, entries: Sequence[RaterSlice]
) -> tuple[list[SliceScores], Reliability]:
    """Every metric of every slice, and the reliability over all pixels."""
    predictor = create_slice_predictor(package, create_engine(package, "openvino"), SAMPLES)
    lesions = {lesion: number for number, lesion in enumerate(dict.fromkeys(entry.lesion for entry in entries))}
    scored, reliability = [], Reliability()
    for entry in entries:
        prediction = predictor.predict(arrays.images[entry.row], (lesions[entry.lesion],))
        masks = arrays.masks(entry.row)
        scored.append(score_slice(entry, prediction, masks))
        reliability.add(1.0 - prediction.probability[0], masks.mean(0))
    return scored, reliability


def compare_levels(package: Package, arrays: RaterArrays, rows: Sequence[int]) -> dict[str, list[Any]]:
    """How much uncertainty each level makes alone, and how alike the maps of two levels are.

    Returns:
        ``mean``: mutual information in nats, mean over pixels and slices; ``correlation``: of two levels' maps, mean
        over the slices on which neither is constant (None where there is none). Finest level first.
    """
    metadata, layout = package.metadata, latent_layout(package.metadata)
    engine = create_engine(package, "openvino")
    maps = []
    for number, row in enumerate(rows):
        volume = normalise(arrays.images[row][np.newaxis], metadata.normalisation)[np.newaxis]
        temperature = metadata.sample_temperature
        source = SampleSource(
            volume, engine, layout, metadata.patch, metadata.overlap, (0, number), temperature=temperature
        )
        maps.append([level_map(source, level, len(metadata.labels)) for level in range(layout.levels)])
    pairs = [
        [
            [correlation(one[a], one[b]) if min(one[a].max(), one[b].max()) > FLAT else np.nan for one in maps]
            for b in range(layout.levels)
        ]
        for a in range(layout.levels)
    ]
    means = [round(float(np.mean([one[level] for one in maps])), 7) for level in range(layout.levels)]
    return {"mean": means, "correlation": [[_mean(cell) for cell in line] for line in pairs]}


def level_map(source: SampleSource, level: int, classes: int) -> NDArray[np.float32]:
    """Mutual information of samples in which only one level is drawn."""
    alone = source.at_levels(frozenset({level}))
    statistics = SampleStatistics((classes, *alone.plan.shape))
    for sample in alone.draw(LEVEL_SAMPLES):
        statistics.add(sample)
    return statistics.maps().mutual_information


def _mean(values: Sequence[float]) -> float | None:
    defined = [value for value in values if not np.isnan(value)]
    return round(float(np.mean(defined)), 3) if defined else None


def main() -> None:
    """Measure, write, and put the numbers on the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    data = parser.parse_args().data
    folder = data / "lidc_multirater" if (data / "lidc_multirater").is_dir() else data
    archive, table = find_rater_files(folder)
    whole, package = read_rater_arrays(archive), find_package(MODEL)
    side = package.metadata.patch[0]
    arrays = RaterArrays(middle(whole.images, side), middle(whole.bits, side), whole.raters)
    entries = read_rater_table(table, len(arrays.images), "val")
    refuse_overlap(package, table, len(arrays.images), entries)
    scored, reliability = score(package, arrays, entries)
    run = {"model": MODEL, "estimator": "samples", "engine": "openvino", "seed": 0, "samples": SAMPLES, "split": "val"}
    summary = summarise_raters(scored, run, package.metadata.foreground[0].name)
    card = {name: {"mean": entry["mean"]} for name, entry in summary["metrics"].items()}
    amended = amend_package(package, {"metrics": card, "reliability": reliability.rows()})
    levels = compare_levels(package, arrays, central_rows(arrays, entries))
    summary |= {"side": side, "levels": levels, "size_stretch": package.metadata.size_stretch}
    summary |= {"reliability": reliability.rows(), "fingerprint_of_card": amended.fingerprint}
    PACKAGE.write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    write_page(RecordedResults(CODEC), ROOT / "docs")
    print((ROOT / "docs" / "hierarchical.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
