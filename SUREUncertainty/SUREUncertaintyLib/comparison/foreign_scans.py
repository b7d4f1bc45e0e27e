"""Scans of a kind that the network never saw: does the uncertainty about a whole scan rise?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from ..core.errors import InputError
from ..core.geometry import crop_grid
from ..core.volume import Volume
from ..evaluation.predictor import Predictor
from ..files.reading import read_volume
from .study import Outside

REACH = 5
"""Voxels around the prediction that count in the score of a scan."""
AXES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def uncertainty_of_scan(labels: NDArray[Any], uncertainty: NDArray[np.float32]) -> dict[str, float]:
    """``score``: mean uncertainty over the predicted structures and 5 voxels around them, over the whole scan where
    nothing was found; ``mean``: over the whole scan. Voxels that were not analysed (NaN) do not count."""
    found = labels > 0
    region = binary_dilation(found, iterations=REACH) if found.any() else np.ones_like(found)
    return {
        "score": float(np.nanmean(uncertainty[region], dtype=np.float64)),
        "mean": float(np.nanmean(uncertainty, dtype=np.float64)),
    }


def score_outside(kind: Outside, data: Path, predictor: Predictor) -> list[dict[str, Any]]:
    """One entry a scan: ``name``, ``score``, ``mean``, and ``own``, the score of the paired scan of the usual kind.

    A file that cannot be read or segmented has an ``error`` in the place of numbers.
    """
    rows = []
    for path in outside_files(kind, data):
        row: dict[str, Any] = {"name": path.name}
        try:
            row |= _score(path, kind, predictor)
            pair = _pair_of(path, kind)
            if pair is not None:
                row["own"] = _score(pair, kind, predictor)["score"]
        except InputError as error:
            row["error"] = str(error)
        rows.append(row)
    return rows


def outside_files(kind: Outside, data: Path) -> list[Path]:
    """The files of a kind by name, evenly thinned to ``most``; empty where the data are not there."""
    found = sorted({path for pattern in kind.images for path in data.glob(pattern)})
    if kind.most and len(found) > kind.most:
        places = np.linspace(0, len(found) - 1, kind.most).round().astype(int)
        found = [found[place] for place in places]
    return found


def middle_box(volume: Volume, box_mm: tuple[float, ...]) -> Volume:
    """The box of ``box_mm`` along (i, j, k) at the middle of a scan, cut to the scan."""
    slices, start, size = [], [], []
    for count, spacing, wanted in zip(volume.grid.shape[::-1], volume.grid.spacing, box_mm, strict=True):
        voxels = min(count, max(1, round(wanted / spacing)))
        first = (count - voxels) // 2
        slices.append(slice(first, first + voxels))
        start.append(first)
        size.append(voxels)
    grid = crop_grid(volume.grid, (start[0], start[1], start[2]), (size[0], size[1], size[2]))
    return replace(volume, array=np.ascontiguousarray(volume.array[tuple(reversed(slices))]), grid=grid)


def _score(path: Path, kind: Outside, predictor: Predictor) -> dict[str, float]:
    volume = read_volume(path)
    if kind.as_stored:
        volume = replace(volume, grid=replace(volume.grid, direction=AXES))
    if kind.box_mm:
        volume = middle_box(volume, kind.box_mm)
    predictor.forget()
    prediction = predictor.predict(replace(volume, modality=""))
    return uncertainty_of_scan(prediction.labels, prediction.uncertainty)


def _pair_of(path: Path, kind: Outside) -> Path | None:
    return next(_pairs(path, kind), None)


def _pairs(path: Path, kind: Outside) -> Iterator[Path]:
    for theirs, own in kind.pairs:
        pair = path.with_name(path.name.replace(theirs, own))
        if theirs in path.name and pair.is_file():
            yield pair
