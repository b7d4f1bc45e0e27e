"""What people accepted of a cohort, for other programs: one DICOM Segmentation a case, and one table of volumes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..cohort.case_row import CaseRow
from ..cohort.review import Worklist
from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..core.safe_names import table_row
from ..files.segment_reading import read_segmentation
from ..files.writing import OutputFolder, write_text
from .content import ExportContent, read_content
from .dicom_codes import require_highdicom
from .dicom_segmentation import write_dicom_segmentation
from .dicom_series import open_series

TABLE = "accepted.csv"
HEADER = ("id", "group", "decision", "value", "structure", "voxels", "volume_ml", "dicom")
NOTHING_ACCEPTED = (
    "No case of this cohort was accepted yet. Accept cases in the Worklist of the module in 3D Slicer, then export."
)


def export_reviewed(
    cohort: Path,
    output: Path,
    overwrite: bool = False,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> tuple[str, ...]:
    """Write ``ID.dcm`` of every accepted or edited case whose scan is DICOM, and ``accepted.csv`` of all of them.

    Of an edited case the edited outline counts. Rejected cases and those that nobody has decided about are left out.

    Returns:
        Sentences about cases without a DICOM object, and what was left out of one.

    Raises:
        InputError: no cohort, nothing accepted, or a damaged file. EngineError: no highdicom. OutputError, Cancelled.
        Nothing is written then.
    """
    require_highdicom()
    listed = Worklist.open(cohort)
    rows = listed.confirmed
    if not rows:
        raise InputError(NOTHING_ACCEPTED)
    notes: list[str] = []
    table: list[tuple[object, ...]] = []
    with OutputFolder(output, overwrite) as folder:
        for number, row in enumerate(rows):
            raise_if_cancelled(is_cancelled)
            progress(number / len(rows), row.id)
            content = _content(listed, row)
            file = f"{row.folder}.dcm"
            said = _write(content, row, folder / file)
            notes += [f"{row.id}: {sentence}" for sentence in said]
            written = file if (folder / file).is_file() else ""
            table += _volumes(listed, row, content, written)
        write_text(folder / TABLE, _as_csv(table))
    return tuple(notes)


def _content(listed: Worklist, row: CaseRow) -> ExportContent:
    """The result of a case, with the outline that a person made of it."""
    content, edited = read_content(listed.result_folder(row)), listed.edited_file(row)
    if edited is None:
        return content
    labels, label_set = read_segmentation(edited)
    return replace(content, labels=labels, label_set=label_set, is_edited=True)


def _write(content: ExportContent, row: CaseRow, path: Path) -> tuple[str, ...]:
    """The DICOM object of a case; a sentence where its scan is no DICOM series or not the one that was segmented."""
    try:
        series = open_series([Path(row.image)])
        series.require_same_scan(content.document.get("voxel_fingerprint"), content.labels.grid)
        return write_dicom_segmentation(content, series, path)
    except InputError as error:
        return (str(error),)


def _volumes(listed: Worklist, row: CaseRow, content: ExportContent, file: str) -> Iterator[tuple[object, ...]]:
    last = listed.review(row).last
    assert last is not None
    for label in content.label_set:
        voxels = int(np.count_nonzero(content.labels.array == label.value))
        volume = f"{voxels * content.labels.grid.voxel_volume_mm3 / 1000:.4f}"
        yield (row.id, row.group, last.decision, label.value, label.name, voxels, volume, file)


def _as_csv(rows: list[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(table_row(row) for row in rows)
    return text.getvalue()
