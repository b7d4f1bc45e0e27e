"""``sure cohort``: many scans segmented, and a list of what to look at first."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.wording import ESTIMATOR_HELP

if TYPE_CHECKING:
    from ..cohort.run import Cohort
    from ..core.progress import Progress

SOME_FAILED = 3
MODEL_HELP = "Name in the catalogue ('sure models list'), or a package's folder."


def cohort(
    cases: Annotated[
        Path,
        typer.Argument(help="CSV with the column image, and maybe label, id, group, split, roi; or a folder."),
    ],
    model: Annotated[str, typer.Option(help=MODEL_HELP)],
    output: Annotated[Path, typer.Option(help="Folder for the results; the same command goes on where it stopped.")],
    split: Annotated[str | None, typer.Option(help="Only the cases of this split.")] = None,
    estimator: Annotated[str, typer.Option(help=f"{ESTIMATOR_HELP}.")] = "native",
    engine: Annotated[str, typer.Option(help="auto, torch or openvino.")] = "auto",
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps; chosen if left out.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes here; one a core if left out.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A Dask scheduler, such as tcp://host:8786, whose workers do it.")
    ] = None,
    scenes: Annotated[
        bool, typer.Option("--scenes", help="Also write scene.mrb for 'sure view' and 3D Slicer (takes longer).")
    ] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Draw no pictures for the reports.")] = False,
) -> None:
    """Segment every scan of a list or folder, and write a worklist: what needs a person comes first."""
    from ..cohort.case_list import read_cohort
    from ..cohort.run import run_cohort
    from ..inference.estimation.estimator_choice import create_estimator
    from ..inference.estimation.model_options import ModelOptions
    from ..mrml.scene_addition import add_scene
    from .progress import printed_progress

    listed = read_cohort(cases, split)
    package = create_estimator(estimator, model, engine, device).package  # what cannot run stops here
    travels = ModelOptions(model, estimator, engine, device, 0, package.fingerprint, None if scheduler else 1)
    with printed_progress() as progress:
        outcome = run_cohort(
            listed,
            package,
            travels,
            output,
            workers,
            scheduler,
            not no_pictures,
            (add_scene,) if scenes else (),
            _with_rest(progress),
        )
    typer.echo("\n".join(_report(outcome, output)))
    if outcome.n_failed:
        raise typer.Exit(SOME_FAILED)


def _with_rest(progress: Progress) -> Progress:
    """The progress with the remaining time in words."""
    from ..presenters.remaining_time import remaining_text

    start = time.monotonic()
    first: list[float] = []

    def tell(fraction: float, text: str) -> None:
        first.append(fraction) if not first else None  # what an earlier run finished took no time now
        done = (fraction - first[0]) / (1.0 - first[0]) if first[0] < 1.0 else 1.0
        rest = remaining_text(done, time.monotonic() - start)
        progress(fraction, f"{text}, {rest}" if rest else text)

    return tell


def _report(outcome: Cohort, output: Path) -> list[str]:
    from ..cohort.worklist_page import NAMES

    counts = {status: sum(row.status == status for row in outcome.rows) for status in NAMES}
    lines = [", ".join(f"{NAMES[status].lower()}: {count}" for status, count in counts.items() if count)]
    lines += [f"failed: {row.id}: {row.error}" for row in outcome.rows if row.error]
    lines += list(outcome.told)
    for point in outcome.curve.points if outcome.curve else ():
        lines.append(
            f"Reviewing the worst {point.share:.0%}: mean Dice of the rest {point.left:.3f} "
            f"(any order {point.left_at_random:.3f}, best {point.left_at_best:.3f})"
        )
    names = {"Worklist": "worklist.html", "As a table": "worklist.csv", "Every structure": "structures.csv"}
    return [*lines, *(f"{name:<16}{output / file}" for name, file in names.items())]
