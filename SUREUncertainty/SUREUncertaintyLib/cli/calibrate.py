"""``sure calibrate``: teach a model to foretell how good its results are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..analysis.quality.quality_model import QualityModel
    from ..analysis.quality.stability import StabilityModel
    from ..quality.calibrate import CaseRuns

SOME_FAILED = 3
COPIES_HELP = (
    "Let every run from now on also look at two mildly disturbed copies of its image: three times the network's time, "
    "and a forecast that tells more."
)


def calibrate(
    model: Annotated[str, typer.Argument(help="Name in the catalogue, or a package's folder.")],
    cases: Annotated[
        Path,
        typer.Option(
            help="CSV with columns image, label, and optionally id, group (the patient), split, roi: scans that the "
            "model was not trained on, of ten or more patients. With fewer, results tell their stability instead of a "
            "forecast."
        ),
    ],
    split: Annotated[str | None, typer.Option(help="Only the cases of this split.")] = None,
    tolerance: Annotated[
        float | None, typer.Option(min=0.0, help="Of the surface Dice, in mm; the model's voxel size if left out.")
    ] = None,
    mild_copies: Annotated[bool, typer.Option("--mild-copies", help=COPIES_HELP)] = False,
    engine: Annotated[str, typer.Option(help="auto, torch or openvino.")] = "auto",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a core if left out.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="A Dask scheduler, such as tcp://host:8786.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the damage.")] = 0,
) -> None:
    """Fit the forecast of Dice on labelled scans and damaged copies of them, and store it in the model."""
    from ..analysis.quality.quality_model import FEWEST
    from ..evaluation.cases import read_cases
    from ..evaluation.searched_cases import searched_cases
    from ..inference.estimation.estimator_choice import create_estimator
    from ..inference.estimation.model_options import ModelOptions
    from ..quality.calibrate import (
        CalibrationOptions,
        calibrate as fit,
        require_labels,
        require_own_map,
        run_cases,
        seen_in_training,
    )
    from .progress import printed_progress

    listed = read_cases(cases, split)
    require_labels(listed)
    options = CalibrationOptions(tolerance_mm=tolerance, seed=seed, mild_copies=mild_copies)
    if len({case.group for case in listed}) < FEWEST:
        typer.echo(TOO_FEW, err=True)
        options = replace(options, kinds=(), mild_copies=True)
    with printed_progress() as progress:
        opened = create_estimator("native", model, engine)
        require_own_map(opened.package, opened.engine)
        known = seen_in_training(listed, opened.package)
        if known:
            typer.echo(TRAINED_ON.format(count=len(known), first=known[0]), err=True)
        listed = searched_cases(listed, opened.package, opened.engine, progress)
        travels = ModelOptions(model, engine=engine, fingerprint=opened.package.fingerprint, threads=1)
        kept = cases.with_name(f"{cases.stem}.{opened.package.name}")
        found = run_cases(listed, travels, opened.package, options, kept, workers, scheduler, progress)
    fitted, package = fit(found, opened.package, opened.engine, cases.name, options)
    typer.echo("\n".join(_report(fitted, found, str(package.root))))
    if any(case.error for case in found):
        raise typer.Exit(SOME_FAILED)


def _report(model: QualityModel | StabilityModel, found: tuple[CaseRuns, ...], folder: str) -> list[str]:
    lines = [*_fitted(model), *(f"failed: {case.id}: {case.error}" for case in found if case.error)]
    return [*lines, f"It is in {folder}; from now on every run of this model tells it."]


def _fitted(model: QualityModel | StabilityModel) -> list[str]:
    from ..analysis.quality.stability import StabilityModel

    if isinstance(model, StabilityModel):
        return [
            f"Stability of {model.cases} scans of {model.patients} patients: {model.low:.2f} to {model.high:.2f}; "
            f"their Dice with the label: {model.dice_low:.2f} to {model.dice_high:.2f}."
        ]
    lines = [f"Fitted on {model.cases} scans of {model.patients} patients and damaged copies of them."]
    for score, fits in model.scores.items():
        for name, fit in fits.items():
            errors = ", ".join(f"{part} {value:.3f}" for part, value in fit.errors.items())
            lines.append(f"{score.replace('_', ' ')}, {name}: mean error of the forecast {errors}")
    return lines


TOO_FEW = (
    "Fewer than ten patients: no Dice can be foretold from so few. Results will tell their stability instead, the Dice "
    "between the outline and those of mildly disturbed copies of the scan."
)
TRAINED_ON = (
    "{count} cases have an id of a case that the model was trained on ({first}). If they are the same scans, leave "
    "them out: on scans that it knows a model is better than elsewhere, and the forecast would promise too much."
)
