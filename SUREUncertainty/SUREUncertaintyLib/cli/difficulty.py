"""``sure difficulty``: how hard each scan of a cohort is for a network, and whether that means anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SOME_FAILED = 3


def difficulty(
    cases: Annotated[Path, typer.Option(help="CSV with columns image, optionally label, id, group, split, roi.")],
    extractor: Annotated[
        str,
        typer.Option(
            help="Network to score with: a package, crossfit:FOLDER, sam2:CONFIG, timm:NAME, swinunetr, control-*."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder for auv.csv, ranking, lists, validity test and page.")],
    checkpoint: Annotated[Path | None, typer.Option(help="Local weights of sam2, timm and swinunetr.")] = None,
    split: Annotated[str | None, typer.Option(help="Only the cases of this split.")] = None,
    keep: Annotated[list[float] | None, typer.Option(help="Share of patients to keep; may be given again.")] = None,
    combine: Annotated[str, typer.Option(help="scan, single (with --target), union or intersection.")] = "scan",
    target: Annotated[str | None, typer.Option(help="The structure that --combine single judges.")] = None,
    power: Annotated[int, typer.Option(help="2 as published, 1 for comparison only.")] = 2,
    center: Annotated[str, typer.Option(help="none or row.")] = "none",
    gate: Annotated[bool, typer.Option(help="Test on damaged scans whether the score means anything.")] = True,
    evaluation: Annotated[Path | None, typer.Option(help="Folder of 'sure evaluate', for Dice in the test.")] = None,
    labels: Annotated[str | None, typer.Option(help="Model package that names the label values.")] = None,
    engine: Annotated[str, typer.Option(help="auto, torch or openvino.")] = "auto",
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; all cores if left out.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="A Dask scheduler, such as tcp://host:8786.")] = None,
    store: Annotated[
        bool, typer.Option("--store-reference", help="Keep the table in the model package, to compare new scans with.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the damage and of the intervals.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results.")] = False,
) -> None:
    """Score how hard scans are, test whether the score can be trusted, and list what to keep."""
    from ..core.errors import InputError
    from ..difficulty.case_scale import ScaleOptions
    from ..difficulty.cohort import CohortOptions, read_dice
    from ..difficulty.cohort_folder import FilterOptions, assess_cohort
    from ..difficulty.extractors.registry import ExtractorOptions
    from ..difficulty.table import reference_document
    from ..evaluation.cases import read_cases
    from ..packages.catalogue import find_package
    from ..packages.package_building import amend_package
    from .progress import terminal_progress

    if power not in (1, 2) or center not in ("none", "row"):
        raise InputError("--power must be 1 or 2, and --center none or row.")
    if store:
        find_package(extractor)
    listed = read_cases(cases, split)
    known = {label.value: label.name for label in find_package(labels).metadata.foreground} if labels else {}
    wanted = CohortOptions(
        extractor=ExtractorOptions(extractor, checkpoint, device, engine, known=known),
        scale=ScaleOptions(power, center),  # type: ignore[arg-type]
        gate=gate,
        seed=seed,
        workers=workers,
        scheduler=scheduler,
        dice=read_dice(evaluation) if evaluation else {},
    )
    filters = FilterOptions(tuple(keep or (0.95, 0.9)), combine, target)  # type: ignore[arg-type]
    with terminal_progress() as progress:
        found = assess_cohort(listed, output, wanted, filters, overwrite, progress)
    if store:
        package = amend_package(find_package(extractor), {"reference": reference_document(found.scored.table)})
        typer.echo(f"New scans are from now on compared with these by the model in {package.root}.")
    scans = found.scored.table.scans
    sentences = [*found.sentences, *(outcome.sentence for outcome in found.kept)]
    sentences += [f"failed: {scan.id}: {scan.error}" for scan in scans if scan.error]
    typer.echo("\n".join([*sentences, f"Page: {output / 'difficulty.html'}   table: {output / 'auv.csv'}"]))
    if found.scored.n_failed:
        raise typer.Exit(SOME_FAILED)
