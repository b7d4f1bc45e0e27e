"""The files that samples add to a results folder, and what ``report.json`` says about them."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.dataclass_json import to_json
from ..core.labels import Label
from ..core.latent_levels import coarse_first
from ..core.safe_names import table_cell
from ..files.segment_header import write_segmentation
from ..files.writing import write_volume
from ..inference.sampling.samples_result import Sampling
from ..inference.sampling.sizes import Diameter

SIZES = (
    *("value", "name", "samples", "voxels_median", "voxels_low", "voxels_high", "ml_median", "ml_low", "ml_high"),
    *("axial_mm", "axial_mm_low", "axial_mm_high", "longest_mm", "longest_mm_low", "longest_mm_high"),
)
EVERY_SIZE = ("sample", "value", "name", "voxels", "ml", "axial_mm", "longest_mm")
EVERY_SIZE_FILE = "sample-sizes.csv"
SPECKS = (
    "Pieces of samples of fewer than {least} voxels beside the mean answer are taken out of sizes, contours and kept "
    "samples (voxels that touch by a face, an edge or a corner are one piece); maps of uncertainty are of the samples "
    "as drawn."
)
NO_SPECKS = "Nothing was taken out of the samples."


def write_sampling(sampling: Sampling, label_set: Sequence[Label], folder: Path) -> None:
    """Write ``maps/``, ``contours/``, ``sizes.csv`` and ``sample-sizes.csv``; ``levels/`` and ``samples/`` where they
    were asked for."""
    for name, volume in sampling.maps.items():
        write_volume(volume, _inside(folder, "maps") / f"{name}.nrrd")
    for level, volume in enumerate(sampling.levels):
        write_volume(volume, _inside(folder, "levels") / f"level-{level}.nrrd")
    for name, volume in sampling.bands.items():
        write_volume(volume, _inside(folder, "contours") / f"{_file_name(name)}.nrrd")
    for number, volume in enumerate(sampling.samples):
        write_segmentation(volume, label_set, _inside(folder, "samples") / f"sample-{number:03d}.seg.nrrd")
    _write(folder / "sizes.csv", SIZES, size_records(sampling))
    _write(folder / EVERY_SIZE_FILE, EVERY_SIZE, every_size(sampling))


def describe_sampling(sampling: Sampling) -> dict[str, Any]:
    """What ``report.json`` holds beside the run's record."""
    coverage = sampling.sizes[0].interval.coverage if sampling.sizes else None
    return {
        "options": to_json(sampling.options),
        "sizes": size_records(sampling),
        "size_coverage": coverage,
        "specks": SPECKS.format(least=sampling.options.least_voxels)
        if sampling.options.least_voxels > 1
        else NO_SPECKS,
        "most_different_samples": list(sampling.most_different),
        "smallest_first": [
            {"sample": number, "ml": _rounded(sampling.sample_ml(number))} for number in sampling.smallest_first()
        ],
        "levels": [
            {**to_json(level), "name": str(level.term.name), "meaning": level.sentence()}
            for level in coarse_first(sampling.scales)
        ],
    }


def size_records(sampling: Sampling) -> list[dict[str, Any]]:
    """One row a structure: median and interval in voxels of the model's grid and in ml, and longest diameters in mm: of
    the mean answer, and the middle 90 % of the samples."""
    rows = []
    for size in sampling.sizes:
        interval, ml = size.interval, [round(value, 6) for value in size.ml]
        counts = (round(value, 1) for value in (interval.median, interval.low, interval.high))
        across = (*_across(size.axial), *_across(size.longest))
        rows.append(dict(zip(SIZES, (size.value, size.name, interval.samples, *counts, *ml, *across), strict=True)))
    return rows


def every_size(sampling: Sampling) -> list[dict[str, Any]]:
    """One row a structure and sample, as they were measured: without specks, and not stretched."""
    return [
        {
            "sample": number,
            "value": size.value,
            "name": size.name,
            "voxels": drawn.voxels,
            "ml": round(drawn.voxels * size.voxel_ml, 6),
            "axial_mm": _rounded(drawn.axial_mm),
            "longest_mm": _rounded(drawn.longest_mm),
        }
        for size in sampling.sizes
        for number, drawn in enumerate(size.drawn)
    ]


def _across(diameter: Diameter | None) -> tuple[float | None, float | None, float | None]:
    if diameter is None:
        return None, None, None
    return round(diameter.answer, 3), round(diameter.interval.low, 3), round(diameter.interval.high, 3)


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _write(path: Path, columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows({key: table_cell(value) for key, value in record.items()} for record in records)


def _inside(folder: Path, name: str) -> Path:
    inner = folder / name
    inner.mkdir(exist_ok=True)
    return inner


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
