"""``sure segment`` of a scan over time."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..core.errors import InputError
from ..core.volume import Volume
from ..core.volume_sequence import VolumeSequence
from .run_summary import WIDTH

if TYPE_CHECKING:
    from ..core.progress import Progress
    from ..inference.estimation.estimator_choice import Estimate
    from ..report.result_folder import OutputOptions


def one_frame(scan: Volume | VolumeSequence, frame: int | None) -> Volume:
    """The scan itself, or the frame that was asked for, counted from 1. Raises ``InputError``: there is none such."""
    if isinstance(scan, Volume):
        if frame is not None:
            raise InputError("--frame is for scans over time; this scan is one volume.")
        return scan
    if frame is None or frame > len(scan.frames):
        raise InputError(f"There is no frame {frame}: the scan has {len(scan.frames)} frames.")
    return scan.frames[frame - 1]


def parse_phases(text: str | None) -> tuple[int, int] | None:
    """Numbers from 0 of ``--phases``, which counts from 1. Raises ``InputError``."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", text)
    if found is None or min(int(found[1]), int(found[2])) < 1:
        raise InputError(f"--phases is '{text}'; expected end-diastole and end-systole as two frames, such as 1,12.")
    return int(found[1]) - 1, int(found[2]) - 1


def run_cine(
    sequence: VolumeSequence,
    chosen: Estimate,
    output: Path,
    roi: Sequence[str],
    phases: str | None,
    overwrite: bool,
    wanted: OutputOptions,
    scene: bool,
    as_json: bool,
    progress: Progress,
) -> None:
    """Segment every frame, write the folder and print what a person wants to know."""
    from ..cine.cine_folder import write_cine
    from ..cine.segment_frames import segment_frames
    from ..core.progress import part_of
    from ..files.writing import OutputFolder
    from ..location.choice import chosen_boxes
    from .scene import add_cine_scene

    known = parse_phases(phases)
    boxes = chosen_boxes(roi, sequence.frames[0], chosen.package, progress)
    with OutputFolder(output, overwrite) as folder:
        measured = segment_frames(
            sequence, chosen.package, chosen.engine, boxes.rois, known, part_of(progress, 0.0, 0.85)
        )
        writing = part_of(progress, 0.85, 1.0)
        additions = (add_cine_scene,) if scene else ()
        document = write_cine(measured, folder, chosen.package, wanted, additions, writing)
    progress(1.0, "done")
    print_cine(document, output, as_json)


def print_cine(document: Mapping[str, Any], output: Path, as_json: bool = False) -> None:
    """The answer first, then volumes and the frames that have warnings."""
    from ..cine import cine_sentences as say

    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    if sentence := say.fraction_sentence(document):
        typer.echo(sentence)
    typer.echo(say.phase_sentence(document))
    _print_volumes(say.volume_rows(document))
    for text in (*say.frame_sentences(document), *document["notices"]):
        typer.echo(f"! {text}")
    typer.echo(f"Results  {output}")


def _print_volumes(rows: Sequence[tuple[str, str, str]]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("")
    for name in ("ml", "Range (90 %)"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else WIDTH, markup=False, emoji=False).print(table)
