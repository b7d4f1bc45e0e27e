"""``sure export``: a result in other formats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FORMAT_HELP = "nrrd, nifti, csv, html, dicom-seg or dicom-map; repeat it for several."
SOURCE_HELP = "The DICOM series that was segmented: its folder or one of its files. Needed for dicom-seg and dicom-map."


def export(
    result: Annotated[Path, typer.Argument(help="Folder that 'sure segment' wrote.")],
    output: Annotated[Path, typer.Option(help="Folder for the files; it appears whole or not at all.")],
    format_: Annotated[list[str], typer.Option("--format", help=FORMAT_HELP)],
    source: Annotated[Path | None, typer.Option(help=SOURCE_HELP)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier exports in the folder.")] = False,
) -> None:
    """Write a result as DICOM objects, NRRD, NIfTI, CSV or a page."""
    from ..export.export_result import ExportJob, export_result
    from ..export.formats import parse_format

    formats = [parse_format(item) for item in format_]
    job = ExportJob(result, output, formats, () if source is None else (source,), overwrite)
    for note in export_result(job):
        typer.echo(note)
    for path in sorted(output.expanduser().iterdir()):
        if not path.name.startswith("."):
            typer.echo(str(path))
