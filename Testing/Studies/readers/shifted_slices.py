"""Damaged and foreign slices: does a method's map, or its prior, tell them from the slices it knows?

Blur of 1 to 10 pixels, a constant patch (as in the reference code, in proportion), and slices of other
organs: cine MR of the heart (Sunnybrook) and an abdominal CT (MSD spleen). A case is the largest slice of a patient's
first nodule.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from readers.network_predictor import NetworkPredictor
from readers.reader_profile import SIDE
from scipy.ndimage import binary_dilation, gaussian_filter
from SUREUncertaintyLib.core.centred_window import middle_slices
from SUREUncertaintyLib.evaluation.raters import RaterArrays, RaterSlice
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.metrics.bootstrap import LEVEL, RESAMPLES, Interval

BLURS = tuple(range(1, 11))
PATCH = (slice(32, 40), slice(22, 32))
PATCH_VALUE = 204
NEAR = 5
SCORES = ("mean", "near", "latent")
FOREIGN = ("heart-mr", "abdomen-ct")
"""Slices of other patients than the clean ones; damaged slices are paired with the clean ones."""

Slice = NDArray[np.uint8]


def score_shift(
    arrays: RaterArrays, entries: Sequence[RaterSlice], data: Path, predictor: NetworkPredictor
) -> dict[str, Any]:
    """``clean`` and every kind of shift: a list a score, one number a case (None where undefined)."""
    rows = central_rows(arrays, entries)
    clean = [arrays.images[row] for row in rows]
    sets = {"clean": clean, "patch": [with_patch(image) for image in clean]}
    sets |= {f"blur-{sigma}": [blurred(image, sigma) for image in clean] for sigma in BLURS}
    sets |= {"heart-mr": heart_slices(data), "abdomen-ct": abdomen_slices(data)}
    patients = [entry.patient for entry in entries if entry.row in set(rows)]
    return {"patients": patients, "scores": {name: _scores(images, predictor) for name, images in sets.items()}}


def central_rows(arrays: RaterArrays, entries: Sequence[RaterSlice]) -> list[int]:
    """The slice of every patient on which the readers marked most, in the table's order."""
    best: dict[str, tuple[int, int]] = {}
    for entry in entries:
        area = int(arrays.masks(entry.row).sum())
        best[entry.patient] = max(best.get(entry.patient, (-1, -1)), (area, entry.row))
    return sorted(row for _, row in best.values())


def blurred(image: Slice, sigma: float) -> Slice:
    """Gaussian blur of ``sigma`` pixels, scaled to its own range as every slice is."""
    return _scaled(gaussian_filter(image.astype(np.float32), sigma, mode="nearest"))


def with_patch(image: Slice) -> Slice:
    """A constant patch of 0.8 of the range."""
    changed = image.copy()
    changed[PATCH] = PATCH_VALUE
    return changed


def heart_slices(data: Path) -> list[Slice]:
    """One cine-MR slice of every Sunnybrook patient, the middle."""
    folder = data / "sunnybrook_lv"
    images = np.load(folder / "sunnybrook_slices_lv.npz", allow_pickle=False)["images"]
    with (folder / "sunnybrook_slices_lv.csv").open(newline="", encoding="utf-8") as stream:
        first = {row["case"]: int(row["row"]) for row in reversed(list(csv.DictReader(stream)))}
    return [_scaled(middle(images[row], SIDE)) for row in sorted(first.values())]


def abdomen_slices(data: Path) -> list[Slice]:
    """Every slice of the spleen CT, the middle."""
    path = data / "ood_io" / "msd_spleen_crop" / "sub-spleen2" / "ct" / "sub-spleen2_ct.nii.gz"
    return [_scaled(middle(plane, SIDE)) for plane in read_volume(path).array]


def middle(slices: NDArray[Any], side: int) -> NDArray[Any]:
    """The middle of slices (..., H, W)."""
    rows, columns = middle_slices(slices.shape, (side, side))
    return slices[..., rows, columns]


def wins(found: Mapping[str, Any], kind: str, score: str) -> NDArray[np.float64]:
    """1 where a shifted case (row) scores above a clean one (column), 1/2 for a tie: its mean is the AUROC."""
    clean, shifted = (np.array(found[name][score], dtype=np.float64) for name in ("clean", kind))
    return (shifted[:, None] > clean) + 0.5 * (shifted[:, None] == clean)


def auroc_difference(
    first: Mapping[str, Any], second: Mapping[str, Any], kind: str, score: str, seed: int = 0
) -> Interval:
    """AUROC of one method minus that of another on the same cases; the interval resamples patients.

    A damaged slice is drawn with the clean one that it was made from, foreign slices on their own.
    """
    gain = wins(first, kind, score) - wins(second, kind, score)
    shifted, clean = gain.shape
    generator = np.random.default_rng(seed)
    columns = generator.integers(0, clean, (RESAMPLES, clean))
    rows = generator.integers(0, shifted, (RESAMPLES, shifted)) if kind in FOREIGN else columns
    drawn = [gain[np.ix_(row, column)].mean() for row, column in zip(rows, columns, strict=True)]
    low, high = np.quantile(drawn, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Interval(float(gain.mean()), float(low), float(high), clean)


def _scaled(plane: NDArray[Any]) -> Slice:
    low, high = float(plane.min()), float(plane.max())
    return np.round((plane.astype(np.float32) - low) / max(high - low, 1e-6) * 255.0).astype(np.uint8)


def _scores(images: Sequence[Slice], predictor: NetworkPredictor) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = {name: [] for name in SCORES}
    for number, image in enumerate(images):
        prediction = predictor.predict(image, (number,))
        uncertainty, zone = prediction.uncertainty, binary_dilation(prediction.labels != 0, iterations=NEAR)
        values = (uncertainty.mean(), uncertainty[zone].mean() if zone.any() else 0.0, predictor.latent_score(image))
        for name, value in zip(SCORES, values, strict=True):
            found[name].append(round(float(value), 7) if np.isfinite(value) else None)
    return found
