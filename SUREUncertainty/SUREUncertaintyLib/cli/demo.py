"""``sure demo``: both hippocampi of the MNI152 template, as a first look without any data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

EXPLANATION = (
    "The scan is the MNI152 T1 template, an average of 152 people, so nobody's anatomy. "
    "Uncertain voxels are coloured in the pictures. Research use only - not a medical device."
)


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("sure-demo"),
    model: Annotated[str, typer.Option(help="Another model for the same regions.")] = "hippocampus-t1",
    engine: Annotated[str, typer.Option(help="auto, torch or openvino.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json instead of a table.")] = False,
) -> None:
    """Segment both hippocampi of the MNI152 brain template, as a first look."""
    from ..worker.scene_process import SceneProcess

    with SceneProcess() as scene:  # Slicer's libraries are loaded there while this process loads its own
        from ..files.demo_input import ROIS, demo_scan
        from ..packages.catalogue import find_package
        from ..report.segment_to_folder import Job, run_job
        from .progress import terminal_progress
        from .run_summary import print_summary

        package = find_package(model)
        with terminal_progress() as progress:
            progress(0.0, "loading the template")
            job = Job(demo_scan(), package, output, ROIS, engine, overwrite=overwrite)
            document = run_job(job, scene.additions, progress)
    if not as_json:
        typer.echo(EXPLANATION)
    print_summary(document, output, as_json)
    if not as_json:
        _offer_to_view(output)


def _offer_to_view(output: Path) -> None:
    """Ask whether to open the result in the browser; without a terminal or the page only say how."""
    from .view import is_installed, view

    if not is_installed():
        typer.echo("To look at it in the browser: pip install 'sure-uncertainty[view]', then sure view " + str(output))
    elif sys.stdin.isatty() and sys.stdout.isatty():
        if typer.confirm("Open it in the browser now?", default=True):
            view(output)
    else:
        typer.echo(f"To look at it in the browser: sure view {output}")
