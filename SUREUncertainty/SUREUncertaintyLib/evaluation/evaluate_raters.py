"""``sure evaluate --raters``: a model against several readers, slice by slice, then nodules, then patients."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.plain_json import plain
from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..core.safe_names import table_row
from ..files.writing import OutputFolder
from ..inference.engine import Engine
from ..inference.sampling.sizes import size_interval
from ..metrics.bootstrap import LEVEL, RESAMPLES, grouped_bootstrap
from ..metrics.detection import error_detection
from ..metrics.multirater import (
    best_dice,
    correlation,
    cross_entropy_ncc,
    diversity,
    ged_squared,
    rater_calibration_error,
    rater_variance,
)
from ..metrics.overlap import dice
from .case_result import MEAN
from .raters import RaterSlice, find_rater_files, majority, read_rater_arrays, read_rater_table
from .slice_predictor import SlicePrediction, SlicePredictor, create_slice_predictor
from .summary import SCHEMA

if TYPE_CHECKING:
    from ..packages.package import Package

SLICE_METRICS = (
    "ged2",
    "ncc",
    "ncc_variance",
    "diversity",
    "best_dice",
    "dice_majority",
    "rater_ece",
    "auroc_disagreement",
    "area_coverage",
)
NODULE_METRICS = ("area_coverage_nodule",)
REASONS = {
    "ncc": "a map is constant",
    "ncc_variance": "a map is constant",
    "best_dice": "every reading is empty and matched",
    "dice_majority": "prediction and majority are empty",
    "auroc_disagreement": "the readers agree everywhere",
    "area_coverage": "no 100 samples were drawn",
    "area_coverage_nodule": "no 100 samples were drawn",
}


@dataclass(frozen=True)
class SliceScores:
    """The numbers of one slice, NaN where undefined, and what a nodule's size needs."""

    entry: RaterSlice
    values: dict[str, float]
    sizes: NDArray[np.float64]
    areas: NDArray[np.float64]
    stretch: float = 1.0


def evaluate_raters(
    folder: Path,
    package: Package,
    engine: Engine,
    output: Path,
    samples: int = 16,
    seed: int = 0,
    split: str | None = None,
    overwrite: bool = False,
    predictor: SlicePredictor | None = None,
    sizes: bool = True,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> dict[str, Any]:
    """Score a model on a folder of slices that several readers marked; write ``slices.csv`` and ``summary.json``.

    Args:
        folder: one npz (``images``, ``rater_bits``) and one csv (``row,patient,nodule,slice,split``).
        samples: drawn a slice, for packages with latents; sizes come from at least 100.
        split: only slices of this split; all when None.
        predictor: how the model answers, following the package when None.
        sizes: also draw the 100 samples that size intervals need; without them coverage is undefined.

    Returns:
        The content of ``summary.json``.

    Raises:
        InputError: the folder, the split or the number of samples cannot be used.
        OutputError: the output is in use or cannot be written.
    """
    judged = predictor or create_slice_predictor(package, engine, samples, seed, sizes)
    archive, table = find_rater_files(folder)
    arrays = read_rater_arrays(archive)
    entries = read_rater_table(table, len(arrays.images), split)
    lesions = {lesion: number for number, lesion in enumerate(dict.fromkeys(entry.lesion for entry in entries))}
    with OutputFolder(output, overwrite) as target:
        scored = []
        for number, entry in enumerate(entries):
            raise_if_cancelled(is_cancelled)
            progress(number / len(entries), f"slice {number + 1} of {len(entries)}")
            prediction = judged.predict(arrays.images[entry.row], (lesions[entry.lesion],))
            scored.append(score_slice(entry, prediction, arrays.masks(entry.row)))
        run = {
            "model": package.metadata.name,
            "fingerprint": package.fingerprint,
            "estimator": judged.name,
            "engine": engine.name,
            "seed": seed,
            "samples": samples,
            "split": split,
        }
        names = [label.name for label in package.metadata.foreground]
        summary = summarise_raters(scored, run, names[0] if len(names) == 1 else "foreground")
        write_raters(scored, summary, target)
    return summary


def score_slice(entry: RaterSlice, prediction: SlicePrediction, readings: NDArray[np.uint8]) -> SliceScores:
    """Every metric of one slice; foreground is any structure.

    Args:
        readings: (readers, H, W) of 0 and 1.
    """
    masks = prediction.samples.argmax(axis=1) != 0
    share = readings.mean(axis=0, dtype=np.float64)
    binary = np.stack([prediction.samples[:, 0], 1.0 - prediction.samples[:, 0]], axis=1)
    areas = readings.reshape(len(readings), -1).sum(axis=1).astype(np.float64)
    values = {
        "ged2": ged_squared(masks, readings),
        "ncc": cross_entropy_ncc(binary, readings),
        "ncc_variance": correlation(prediction.uncertainty, rater_variance(readings)),
        "diversity": diversity(masks),
        "best_dice": best_dice(masks, readings),
        "dice_majority": dice(prediction.labels != 0, majority(readings)),
        "rater_ece": rater_calibration_error(1.0 - prediction.probability[0], share),
        "auroc_disagreement": error_detection(prediction.uncertainty, (share > 0) & (share < 1)).auroc,
        "area_coverage": _coverage(prediction.sizes, areas, prediction.stretch),
    }
    return SliceScores(entry, values, prediction.sizes, areas, prediction.stretch)


def summarise_raters(scored: Sequence[SliceScores], run: dict[str, Any], structure: str) -> dict[str, Any]:
    """The content of ``summary.json``: mean over the slices of a nodule, then nodules, then patients.

    Intervals are the percentile bootstrap over patients.
    """
    nodules = by_nodule(scored)
    patients = [patient for patient, _ in nodules]
    values = nodule_means(nodules, SLICE_METRICS)
    values |= {NODULE_METRICS[0]: [_nodule_coverage(slices) for slices in nodules.values()]}
    seed = int(run["seed"])
    metrics = {name: dict(plain(vars(grouped_bootstrap(v, patients, seed)))) for name, v in values.items()}
    return {
        "schema": SCHEMA,
        **run,
        "n_cases": len(scored),
        "n_nodules": len(nodules),
        "n_groups": len(set(patients)),
        "n_failed": 0,
        "failed": [],
        "interval": {"method": "percentile bootstrap over patients", "level": LEVEL, "resamples": RESAMPLES},
        "undefined": _undefined(scored, structure),
        "metrics": {name: {structure: entry, MEAN: entry} for name, entry in metrics.items()},
    }


def by_nodule(scored: Sequence[SliceScores]) -> dict[tuple[str, str], list[SliceScores]]:
    """Slices of each (patient, nodule), in order of first appearance."""
    nodules: dict[tuple[str, str], list[SliceScores]] = {}
    for score in scored:
        nodules.setdefault(score.entry.lesion, []).append(score)
    return nodules


def nodule_means(
    nodules: Mapping[tuple[str, str], Sequence[SliceScores]], names: Sequence[str]
) -> dict[str, list[float]]:
    """Of every metric the mean over each nodule's slices; NaN where it is undefined on all of them."""
    return {name: [_mean(slices, name) for slices in nodules.values()] for name in names}


def write_raters(scored: Sequence[SliceScores], summary: dict[str, Any], folder: Path) -> None:
    """Write ``slices.csv`` and ``summary.json``."""
    with (folder / "slices.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("row", "patient", "nodule", "slice", "split", *SLICE_METRICS))
        for score in scored:
            cells = ["" if np.isnan(value) else f"{value:.10g}" for value in score.values.values()]
            entry = score.entry
            writer.writerow(table_row((entry.row, entry.patient, entry.nodule, entry.slice, entry.split, *cells)))
    text = json.dumps(plain(summary), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")


def _coverage(sizes: NDArray[np.float64], areas: NDArray[np.float64], stretch: float) -> float:
    """Share of the readers' areas that the 90 % interval of the samples' areas holds."""
    if not sizes.size:
        return float("nan")
    interval = size_interval(sizes, stretch=stretch)
    return float(np.mean([interval.holds(float(area)) for area in areas]))


def _nodule_coverage(slices: Sequence[SliceScores]) -> float:
    """The same for areas summed over a nodule's slices: sample k of one slice belongs to sample k of the next."""
    sizes, areas = (np.sum([getattr(s, name) for s in slices], axis=0) for name in ("sizes", "areas"))
    return _coverage(sizes, areas, slices[0].stretch)


def _mean(slices: Sequence[SliceScores], name: str) -> float:
    values = [score.values[name] for score in slices if not np.isnan(score.values[name])]
    return float(np.mean(values)) if values else float("nan")


def _undefined(scored: Sequence[SliceScores], structure: str) -> dict[str, dict[str, dict[str, int]]]:
    counts = Counter(name for score in scored for name, value in score.values.items() if np.isnan(value))
    reasons = {name: {REASONS.get(name, "undefined"): count} for name, count in counts.items()}
    return {name: {structure: reason, MEAN: reason} for name, reason in reasons.items()}
