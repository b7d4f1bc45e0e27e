"""All results of what is shown, in one archive: as ``sure segment`` writes them, from the scene as it is now."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from ..core.errors import PackageError
from ..export.formats import CHOICES, ExportFormat
from ..export.fresh_folder import export_directly
from ..inference.result import SegmentationResult
from ..packages.catalogue import find_package
from ..report.result_folder import write_maps, write_results
from ..report.run_record import describe_result, write_document


def write_files(result: SegmentationResult, model: str, folder: Path) -> None:
    """Masks, maps, tables and the report (no report where the model is not installed here).

    Takes seconds and touches no scene: for a thread of its own.

    Raises:
        OutputError: the disk is full.
    """
    try:
        package = find_package(model) if result.has_model else None
    except PackageError:
        write_maps(result, folder)
        write_document(describe_result(result), folder)
        return
    write_results(result, folder, package)


def write_export(result: SegmentationResult, model: str, choice: str, source: Path | None, folder: Path) -> None:
    """One of ``export.formats.CHOICES`` into a new folder; for a thread of its own.

    Args:
        source: the folder of the DICOM series that was segmented, or one of its files.

    Raises:
        InputError: DICOM was asked for and the scan was no DICOM series. PackageError: the report needs the model,
            which is not installed. EngineError: highdicom is missing. OutputError.
    """
    formats = CHOICES[choice]
    package = find_package(model) if ExportFormat.HTML in formats and result.has_model else None
    export_directly(result, package, folder, formats, [] if source is None else [source])


def new_folder() -> tempfile.TemporaryDirectory[str]:
    """A private folder for the files of an archive."""
    return tempfile.TemporaryDirectory(prefix="sure-download-")


def pack(folder: Path, target: Path) -> None:
    """Put all files of a folder into one archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
