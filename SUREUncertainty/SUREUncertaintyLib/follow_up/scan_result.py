"""One of two results of a patient, as far as growth is read from it."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ..analysis.volume_range import MM3_PER_ML
from ..core.errors import InputError
from ..files.checksum import file_sha256
from ..files.scan_remarks import tells_pixel_size, tells_voxel_size
from ..inference.result import SegmentationResult
from ..report.run_record import FILE, describe_result
from ..report.sample_files import EVERY_SIZE_FILE

NO_SAMPLES = (
    "The result '{where}' has no samples, from which growth gets its range. Take a model that draws them, such as "
    "lung-nodule-ct."
)
EARLIER = "The result '{where}' does not hold the size of every sample. Run the segmentation again with this version."
DAMAGED = "The file {path} is damaged or was changed since the run. Run the segmentation again."


@dataclass(frozen=True, eq=False)
class ScanResult:
    """What is known of one scan.

    Attributes:
        where: the results folder, or the scan's name for a result in a scene.
        document: the content of ``report.json``.
        drawn: volume in ml of every structure in every sample, by its name.
    """

    where: str
    document: Mapping[str, Any]
    drawn: Mapping[str, tuple[float, ...]]

    @property
    def model(self) -> Mapping[str, Any]:
        """Name, version and fingerprint."""
        return dict(self.document.get("model", {}))

    @property
    def acquired(self) -> date | None:
        """Day of the scan; None where its file did not tell it. Raises ``InputError`` for what is no date."""
        told = self.document.get("acquired")
        try:
            return date.fromisoformat(told) if told else None
        except (ValueError, TypeError):
            raise InputError(DAMAGED.format(path=f"{FILE} of {self.where}")) from None

    @property
    def sampling(self) -> Mapping[str, Any]:
        """How samples were drawn, without their seed."""
        return dict(self.document["sampling"])

    @property
    def stretch(self) -> float:
        """How much wider than its samples the model's interval of a size is."""
        return float(self.sampling.get("size_stretch", 1.0))

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel of the scan."""
        return math.prod(self.spacing) / MM3_PER_ML

    @property
    def rows(self) -> dict[str, Mapping[str, Any]]:
        """The structures of the answer by name."""
        return {row["name"]: row for row in self.document["structures"]}

    @property
    def noise_grid(self) -> tuple[Any, ...]:
        """What the noise of a sample depends on beside its number: seed, and sizes of the regions on the model's grid;
        networks that run slice by slice share one field between slices, whatever their number."""
        planar = len(self.document["options"]["patch_kji"]) == 2
        shapes = (region["model_grid"]["shape_kji"] for region in self.document["geometry"]["regions"])
        return self.document["seed"], tuple(tuple(shape[1:] if planar else shape) for shape in shapes)

    @property
    def tells_lengths(self) -> bool:
        """Whether the scan tells the size of its pixels."""
        return tells_pixel_size(self._remarks)

    @property
    def tells_volumes(self) -> bool:
        """Whether it tells that of its voxels."""
        return tells_voxel_size(self._remarks)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Of the scan, mm."""
        return tuple(self.document["geometry"]["input"]["spacing_mm"])

    @property
    def _remarks(self) -> list[str]:
        return [notice["text"] for notice in self.document["notices"]]


def read_scan_result(folder: Path) -> ScanResult:
    """Read ``report.json`` and the sizes of all samples.

    Raises:
        InputError: it is no folder of a result, has no samples, comes from an earlier version, or is damaged.
    """
    document = _document(folder)
    if "samples" not in document:
        raise InputError(NO_SAMPLES.format(where=folder))
    path = folder / EVERY_SIZE_FILE
    if not path.is_file():
        raise InputError(EARLIER.format(where=folder))
    if document.get("files", {}).get(EVERY_SIZE_FILE) != file_sha256(path):
        raise InputError(DAMAGED.format(path=path))
    drawn: dict[str, list[float]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            drawn.setdefault(row["name"], []).append(float(row["ml"]))
    return ScanResult(str(folder), document, {name: tuple(sizes) for name, sizes in drawn.items()})


def scan_result_of(result: SegmentationResult) -> ScanResult:
    """A result that is at hand, such as one in a scene.

    Raises:
        InputError: it has no samples, or does not hold the size of every one.
    """
    where = result.image.name
    if result.sampling is None:
        raise InputError(NO_SAMPLES.format(where=where))
    sizes = result.sampling.sizes
    if not sizes or not all(size.drawn for size in sizes):
        raise InputError(EARLIER.format(where=where))
    drawn = {size.name: tuple(one.voxels * size.voxel_ml for one in size.drawn) for size in sizes}
    return ScanResult(where, describe_result(result), drawn)


def _document(folder: Path) -> dict[str, Any]:
    path = folder / FILE
    if not path.is_file():
        raise InputError(f"The folder {folder} holds no result: there is no {FILE} in it. 'sure segment' makes one.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        document["structures"], document["notices"], document["voxel_fingerprint"], document["status"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(DAMAGED.format(path=path)) from None
    return dict(document)
