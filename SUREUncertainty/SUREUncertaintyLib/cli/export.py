"""``sure export``: a result in other formats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RESULT_HELP = (
    "Folder that 'sure segment' wrote, or 'sure cohort': then the accepted cases as DICOM segmentations with a table."
)
FORMAT_HELP = "nrrd, nifti, csv, html, dicom-seg or dicom-map; repeat it for several."
COHORT_FORMATS = (
    "The cases of a cohort are exported with --format dicom-seg alone and without --source: the list knows their scans."
)
SOURCE_HELP = "The DICOM series that was segmented: its folder or one of its files. Needed for dicom-seg and dicom-map."


def export(
    result: Annotated[Path, typer.Argument(help=RESULT_HELP)],
    output: Annotated[Path, typer.Option(help="Folder for the files; it appears whole or not at all.")],
    format_: Annotated[list[str], typer.Option("--format", help=FORMAT_HELP)],
    source: Annotated[Path | None, typer.Option(help=SOURCE_HELP)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier exports in the folder.")] = False,
) -> None:
    """Write a result as DICOM objects, NRRD, NIfTI, CSV or a page."""
    from ..cohort.case_folder import is_cohort
    from ..core.errors import InputError
    from ..export.export_result import ExportJob, export_result
    from ..export.formats import ExportFormat, parse_format
    from ..export.reviewed_cohort import export_reviewed

    formats = [parse_format(item) for item in format_]
    if is_cohort(result):
        if formats != [ExportFormat.DICOM_SEG] or source is not None:
            raise InputError(COHORT_FORMATS)
        notes = export_reviewed(result, output, overwrite)
    else:
        notes = export_result(ExportJob(result, output, formats, () if source is None else (source,), overwrite))
    for note in notes:
        typer.echo(note)
    for path in sorted(output.expanduser().iterdir()):
        if not path.name.startswith("."):
            typer.echo(str(path))
