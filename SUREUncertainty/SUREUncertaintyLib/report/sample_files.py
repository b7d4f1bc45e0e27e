"""The files that samples add to a results folder, and what ``report.json`` says about them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.dataclass_json import to_json
from ..core.labels import Label
from ..core.latent_levels import coarse_first
from ..core.safe_names import table_cell
from ..files.segment_header import write_segmentation
from ..files.writing import write_volume
from ..inference.sampling.samples_result import Sampling

SIZES = ("value", "name", "samples", "voxels_median", "voxels_low", "voxels_high", "ml_median", "ml_low", "ml_high")


def write_sampling(sampling: Sampling, label_set: Sequence[Label], folder: Path) -> None:
    """Write ``maps/``, ``contours/`` and ``sizes.csv``, and ``levels/`` and ``samples/`` where they were asked for."""
    for name, volume in sampling.maps.items():
        write_volume(volume, _inside(folder, "maps") / f"{name}.nrrd")
    for level, volume in enumerate(sampling.levels):
        write_volume(volume, _inside(folder, "levels") / f"level-{level}.nrrd")
    for name, volume in sampling.bands.items():
        write_volume(volume, _inside(folder, "contours") / f"{_file_name(name)}.nrrd")
    for number, volume in enumerate(sampling.samples):
        write_segmentation(volume, label_set, _inside(folder, "samples") / f"sample-{number:03d}.seg.nrrd")
    with (folder / "sizes.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, SIZES)
        writer.writeheader()
        writer.writerows({key: table_cell(value) for key, value in row.items()} for row in size_records(sampling))


def describe_sampling(sampling: Sampling) -> dict[str, Any]:
    """What ``report.json`` holds beside the run's record."""
    coverage = sampling.sizes[0].interval.coverage if sampling.sizes else None
    return {
        "options": to_json(sampling.options),
        "sizes": size_records(sampling),
        "size_coverage": coverage,
        "most_different_samples": list(sampling.most_different),
        "levels": [
            {**to_json(level), "name": str(level.term.name), "meaning": level.sentence()}
            for level in coarse_first(sampling.scales)
        ],
    }


def size_records(sampling: Sampling) -> list[dict[str, Any]]:
    """One row a structure: median and interval in voxels of the model's grid, and in ml."""
    rows = []
    for size in sampling.sizes:
        interval, ml = size.interval, [round(value, 6) for value in size.ml]
        counts = (round(value, 1) for value in (interval.median, interval.low, interval.high))
        rows.append(dict(zip(SIZES, (size.value, size.name, interval.samples, *counts, *ml), strict=True)))
    return rows


def _inside(folder: Path, name: str) -> Path:
    inner = folder / name
    inner.mkdir(exist_ok=True)
    return inner


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
