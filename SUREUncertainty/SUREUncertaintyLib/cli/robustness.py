"""``sure robustness``: how a segmentation and its uncertainty hold against damage of rising strength."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.wording import ESTIMATOR_HELP

SOME_FAILED = 3
CORRUPTION_HELP = (
    "gaussian, rician, poisson, speckle, salt_and_pepper, blur, bias_field, gamma, thick_slices, ghosting, spike, "
    "brightness; several with commas between them, or all for a robustness card."
)

CHANNEL_HELP = "A further image of the scan's patient, repeatable: NAME=FILE, for a model with several channels."
ONE_ROI_HELP = (
    "The box of the scan to analyse: NAME=R0,R1,A0,A1,S0,S1 in RAS mm, or a Slicer ROI as FILE.mrk.json; or auto: the "
    "model searches, and each box that it finds is a case. The whole scan if left out."
)


def robustness(
    model: Annotated[str, typer.Option(help="Name in the catalogue, or a package's folder.")],
    corruption: Annotated[str, typer.Option(help=CORRUPTION_HELP)],
    output: Annotated[Path, typer.Option(help="Folder for the results; it appears whole or not at all.")],
    image: Annotated[Path | None, typer.Argument(help="A scan; or give a list with --cases.")] = None,
    label: Annotated[Path | None, typer.Option(help="Reference segmentation of the scan, on its grid.")] = None,
    roi: Annotated[str | None, typer.Option(help=ONE_ROI_HELP)] = None,
    channel: Annotated[list[str] | None, typer.Option(help=CHANNEL_HELP)] = None,
    cases: Annotated[
        Path | None, typer.Option(help="CSV with columns image, label, id, group, split, roi, image_NAME.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Only the cases of this split.")] = None,
    levels: Annotated[
        str, typer.Option(help="Strengths from 0 to 1, with commas between them.")
    ] = "0.1,0.3,0.5,0.7,0.9",
    unit: Annotated[
        str, typer.Option(help="strength; or scan_noise: 1 is ten times the scan's own noise (gaussian, rician).")
    ] = "strength",
    estimator: Annotated[str, typer.Option(help=f"{ESTIMATOR_HELP}.")] = "native",
    engine: Annotated[str, typer.Option(help="auto, torch or openvino.")] = "auto",
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps; chosen if left out.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is random.")] = 0,
    scheduler: Annotated[
        str | None, typer.Option(help="With --cases: a Dask scheduler, such as tcp://host:8786, whose workers do it.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print robustness.json instead of sentences.")] = False,
) -> None:
    """Damage a scan more and more, and see when the segmentation breaks and whether the uncertainty notices."""
    from ..core.errors import InputError
    from ..evaluation.case_jobs import Cluster
    from ..evaluation.predictor import NativePredictor
    from ..evaluation.searched_cases import searched_cases
    from ..inference.estimation.estimator_choice import create_estimator
    from ..inference.estimation.model_options import ModelOptions
    from ..robustness.measure import parse_corruptions, run_robustness
    from ..robustness.page import add_robustness_page
    from ..robustness.series import SeriesOptions
    from ..robustness.strengths import parse_levels
    from .progress import terminal_progress

    if scheduler and cases is None:
        raise InputError("--scheduler spreads a list of scans over a cluster; give the list with --cases.")
    listed = _cases(image, label, roi, cases, split, channel or [])
    options, names = SeriesOptions(parse_levels(levels), unit, seed), parse_corruptions(corruption)
    with terminal_progress() as progress:
        opened = create_estimator(estimator, model, engine, device, seed=seed)
        listed = searched_cases(listed, opened.package, opened.engine, progress)
        predictor = NativePredictor(opened.package, opened.engine)
        travels = ModelOptions(model, estimator, engine, device, seed, opened.package.fingerprint)
        cluster = Cluster(scheduler, travels) if scheduler else None
        additions = (add_robustness_page,)
        outcome = run_robustness(listed, predictor, names, output, options, overwrite, additions, cluster, progress)
    if as_json:
        typer.echo((output / "robustness.json").read_text(encoding="utf-8"))
    else:
        typer.echo("\n".join(_report(outcome.document, output)))
    if outcome.n_failed:
        raise typer.Exit(SOME_FAILED)


def _cases(
    image: Path | None, label: Path | None, roi: str | None, cases: Path | None, split: str | None, channel: list[str]
) -> tuple[Any, ...]:
    """The scan, or the list."""
    from ..core.errors import InputError
    from ..evaluation.cases import read_cases, single_case

    if (image is None) == (cases is None):
        raise InputError("Give either one scan, or a list of scans with --cases CASES.csv.")
    if image is not None:
        if split is not None:
            raise InputError("--split chooses from a list of scans; give one with --cases CASES.csv.")
        return (single_case(image, label, roi or "", channel),)
    if label is not None:
        raise InputError("--label belongs to one scan; in a list of scans the column label names it.")
    if roi is not None:
        raise InputError("--roi belongs to one scan; in a list of scans the column roi names it.")
    if channel:
        raise InputError("--channel belongs to one scan; in a list of scans columns such as image_T2 name the images.")
    assert cases is not None
    return read_cases(cases, split)


def _report(document: dict[str, Any], output: Path) -> list[str]:
    from ..robustness.page import boundary_notes, finding

    lines = [finding(name, entry) for name, entry in document["corruptions"].items()]
    lines += [f"failed: {failure['id']}: {failure['error']}" for failure in document["failed"]]
    return [
        *lines,
        *boundary_notes(document),
        f"Report: {output / 'robustness.html'}   numbers: {output / 'robustness.csv'}",
    ]
