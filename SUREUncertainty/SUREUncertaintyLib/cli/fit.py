"""``sure fit``: a map of uncertainty for a network that stays as it is, from scans without labels."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import Cancelled, InputError


def fit(
    model: Annotated[str, typer.Argument(help="Name in the catalogue, or a package's folder.")],
    scans: Annotated[
        Path | None,
        typer.Option(
            help="Folder of your own scans of the model's kind, five or more; or a table with a column image."
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Folder of label maps named as the scans, for as many as there are.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the report; fit-MODEL if left out. The same command resumes.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Of the processor.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    remove: Annotated[bool, typer.Option("--remove", help="Take the head out again.")] = False,
) -> None:
    """Fit a small head that reads how uncertain the network is; its segmentation stays the same to the last bit."""
    from ..packages.catalogue import find_package
    from .training_packages import training_packages

    package = find_package(model)
    with training_packages():
        if remove:
            from ..fitting.packing import remove_fit

            back = remove_fit(package)
            typer.echo(f"The model is as it was before sure fit, version {back.metadata.version}: {back.root}")
            return
        if scans is None:
            raise InputError("Give the folder of your scans with --scans, or --remove to take a head out again.")
        folder = output or Path(f"fit-{package.name}")
        _fit(model, scans, labels, folder, threads, seed)


def _fit(model: str, scans: Path, labels: Path | None, output: Path, threads: int | None, seed: int) -> None:
    from ..fitting.fit import fit_model
    from ..fitting.settings import FitSettings
    from ..packages.catalogue import find_package
    from .progress import printed_progress

    settings = FitSettings(seed=seed)
    try:
        with printed_progress() as progress:
            found = fit_model(find_package(model), scans, output, labels, settings, progress, threads=threads)
    except (KeyboardInterrupt, Cancelled):
        raise Cancelled(_how_to_go_on(model, scans, labels, output, threads, seed)) from None
    for name, reason in found.left_out.items():
        typer.echo(f"left out: {name}: {reason}", err=True)
    typer.echo(found.judgement.sentence)
    typer.echo(f"Report: {output / 'fit.html'}")
    if not found.judgement.accepted:
        return
    typer.echo(f"The head is in version {found.package.metadata.version} of {found.package.root}.")
    pipeline = found.package.metadata.pipeline
    passes = 1 if pipeline is None else len(pipeline.members) * len(pipeline.mirrorings)
    how = "" if passes == 1 else " --folds 0 --mirrors none"
    if how:
        typer.echo(f"It reads runs of one pass; runs of all {passes} passes keep their own map.")
    typer.echo(f"Try it: sure segment IMAGE --model {model} --output DIR{how}")
    typer.echo(f"Undo it: sure fit {model} --remove")


def _how_to_go_on(model: str, scans: Path, labels: Path | None, output: Path, threads: int | None, seed: int) -> str:
    command = ["sure", "fit", model, "--scans", str(scans), "--output", str(output)]
    command += ["--labels", str(labels)] if labels else []
    command += ["--threads", str(threads)] if threads else []
    command += ["--seed", str(seed)] if seed else []
    return (
        "The fit was stopped, and the model is as it was. What was found so far is kept; the same command goes on from "
        f"there:\n  {shlex.join(command)}"
    )
