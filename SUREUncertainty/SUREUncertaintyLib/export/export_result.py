"""A result in other formats, in a folder that appears whole or not at all."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.labels import Label
from ..core.safe_names import table_cell
from ..core.volume import Volume
from ..files.writing import OutputFolder, write_volume
from ..report.result_page import CARD, FILE as PAGE
from .content import ExportContent, read_content
from .dicom_map import write_dicom_map
from .dicom_segmentation import write_dicom_segmentation
from .dicom_series import NOT_DICOM, DicomSeries, open_series
from .formats import ExportFormat
from .not_analysed import with_background


@dataclass(frozen=True)
class ExportJob:
    """What to export.

    Attributes:
        folder: that a run wrote.
        output: a new folder.
        source: the segmented DICOM series: its folder, one of its files, or all of its files.
    """

    folder: Path
    output: Path
    formats: Sequence[ExportFormat]
    source: Sequence[Path] = ()
    overwrite: bool = False


def export_result(job: ExportJob) -> tuple[str, ...]:
    """Write ``job.output``.

    Returns:
        Sentences about what was left out.

    Raises:
        InputError: no result there, no format, or a DICOM format without the series that was segmented.
        EngineError: highdicom is missing. OutputError. Nothing is written then.
    """
    if not job.formats:
        raise InputError("No format was chosen. Choose at least one.")
    content = read_content(job.folder)
    series = _series(job, content) if any(item.needs_source for item in job.formats) else None
    notes: list[str] = []
    with OutputFolder(job.output, job.overwrite) as folder:
        for item in dict.fromkeys(job.formats):
            if item.needs_source:
                assert series is not None
                notes += _DICOM[item](content, series, folder)
            else:
                _PLAIN[item](content, folder)
    return tuple(notes)


def _series(job: ExportJob, content: ExportContent) -> DicomSeries:
    if not job.source:
        raise InputError(NOT_DICOM.format(found="No series was given, or this scan did not come from DICOM."))
    series = open_series(job.source)
    series.require_same_scan(content.document.get("voxel_fingerprint"), content.labels.grid)
    return series


def _write_segmentation(content: ExportContent, series: DicomSeries, folder: Path) -> tuple[str, ...]:
    return write_dicom_segmentation(content, series, folder / "segmentation.dcm")


def _write_maps(content: ExportContent, series: DicomSeries, folder: Path) -> tuple[str, ...]:
    for number, kind in enumerate(content.maps, 2):  # number 1 is the segmentation
        write_dicom_map(content, kind, series, folder / f"uncertainty-{kind}.dcm", number)
    return ()


def _write_nrrd(content: ExportContent, folder: Path) -> None:
    _copy(content, folder, ["segmentation.seg.nrrd"])
    for kind, volume in content.maps.items():
        write_volume(_plain(volume), folder / f"uncertainty-{kind}.nrrd")


def _write_nifti(content: ExportContent, folder: Path) -> None:
    """Where nothing was analysed the maps hold ``BACKGROUND``, and ``analysed.nii.gz`` (1 or 0) says where that is."""
    write_volume(replace(content.labels, forms=content.forms), folder / "segmentation.nii.gz")
    _write_names(content.label_set, folder / "segmentation-labels.csv")
    analysed = np.ones(content.labels.grid.shape, np.uint8)
    for kind, volume in content.maps.items():
        known = np.isfinite(volume.array)
        analysed &= known
        plain = _plain(volume)
        filled = replace(plain.with_array(with_background(plain.array)), forms=content.forms)
        write_volume(filled, folder / f"uncertainty-{kind}.nii.gz")
    if not analysed.all():
        mask = replace(content.labels.with_array(analysed, "analysed"), forms=content.forms)
        write_volume(mask, folder / "analysed.nii.gz")


def _write_names(label_set: Iterable[Label], path: Path) -> None:
    """NIfTI has no place for names: they go beside it."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(
            [("value", "name"), *((label.value, table_cell(label.name)) for label in label_set)]
        )


def _write_tables(content: ExportContent, folder: Path) -> None:
    _copy(content, folder, ["structures.csv", "regions.csv"])


def _write_page(content: ExportContent, folder: Path) -> None:
    _copy(content, folder, [PAGE])
    if (content.folder / CARD).is_file():
        _copy(content, folder, [CARD])


def _copy(content: ExportContent, folder: Path, names: Sequence[str]) -> None:
    for name in names:
        if not (content.folder / name).is_file():
            raise InputError(
                f"The result in {content.folder} has no {name}: it was left out by the run. "
                "Run again without the option that left it out, or choose another format."
            )
        shutil.copyfile(content.folder / name, folder / name)


def _plain(volume: Volume) -> Volume:
    return volume.with_array(volume.array.astype("float32", copy=False))


_PLAIN: dict[ExportFormat, Callable[[ExportContent, Path], None]] = {
    ExportFormat.NRRD: _write_nrrd,
    ExportFormat.NIFTI: _write_nifti,
    ExportFormat.CSV: _write_tables,
    ExportFormat.HTML: _write_page,
}
_DICOM: dict[ExportFormat, Callable[[ExportContent, DicomSeries, Path], tuple[str, ...]]] = {
    ExportFormat.DICOM_SEG: _write_segmentation,
    ExportFormat.DICOM_MAP: _write_maps,
}
