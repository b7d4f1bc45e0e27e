"""``sure demo``: both hippocampi of the MNI152 template, as a first look without any data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXPLANATION = (
    "The scan is the MNI152 T1 template, an average of 152 people, so nobody's anatomy. "
    "Doubtful voxels glow in the pictures. Research use only - not a medical device."
)


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("sure-demo"),
    model: Annotated[str, typer.Option(help="Another model for the same regions.")] = "hippocampus-t1",
    engine: Annotated[str, typer.Option(help="auto, torch or openvino.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json instead of a table.")] = False,
) -> None:
    """Segment both hippocampi of the MNI152 brain template, as a first look."""
    from ..core.demo_input import ROIS
    from ..core.demo_input import demo_scan
    from ..packages.catalogue import find_package
    from ..report.run import Job
    from ..report.run import run_job
    from .progress import terminal_progress
    from .scene import AddScene
    from .summary import print_summary

    package = find_package(model)
    with terminal_progress() as progress:
        progress(0.0, "loading the template")
        job = Job(demo_scan(), package, output, ROIS, engine, overwrite=overwrite)
        document = run_job(job, (AddScene(),), progress)
    if not as_json:
        typer.echo(EXPLANATION)
    print_summary(document, output, as_json)
