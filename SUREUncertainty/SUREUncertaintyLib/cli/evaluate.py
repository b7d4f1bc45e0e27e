"""``sure evaluate``: every metric of a model on a list of cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.wording import ESTIMATOR_HELP, METRIC_NAMES

SOME_FAILED = 3
WIDTH = max(map(len, METRIC_NAMES.values()))
"""Of the names of metrics in the terminal."""
ABSENT = "-"


def evaluate(
    model: Annotated[
        str, typer.Option(help="Name in the catalogue, or a package's folder; for ensemble one of packages.")
    ],
    output: Annotated[Path, typer.Option(help="Folder for cases.csv and summary.json.")],
    cases: Annotated[
        Path | None,
        typer.Option(help="CSV with columns image, label, and optionally id, group, split, roi, image_NAME."),
    ] = None,
    raters: Annotated[
        Path | None, typer.Option(help="Instead of --cases: folder of slices that several readers marked (npz + csv).")
    ] = None,
    samples: Annotated[int, typer.Option(help="With --raters: samples a slice, for models with latents.")] = 16,
    sizes: Annotated[bool, typer.Option(help="With --raters: also intervals of area, from 100 samples.")] = True,
    split: Annotated[str | None, typer.Option(help="Only the cases of this split.")] = None,
    engine: Annotated[str, typer.Option(help="auto, torch or openvino.")] = "auto",
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1 or mps; the engine chooses if left out.")
    ] = None,
    estimator: Annotated[str, typer.Option(help=f"{ESTIMATOR_HELP}.")] = "native",
    seed: Annotated[int, typer.Option(min=0, help="Seed of noise fields, bootstrap and dropout masks.")] = 0,
    noise: Annotated[bool, typer.Option(help="Also run every scan under noise (five more passes a case).")] = True,
    missed: Annotated[
        str, typer.Option(help="HD95 and ASSD of missed structures: undefined or diagonal.")
    ] = "undefined",
    scheduler: Annotated[
        str | None, typer.Option(help="With --cases: a Dask scheduler, such as tcp://host:8786, whose workers do it.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace earlier results in the output folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of a table.")] = False,
) -> None:
    """Measure a model on labelled scans: overlap, surface, calibration, and whether uncertainty finds errors."""
    from ..core.errors import InputError
    from ..evaluation.case_evaluation import EvaluationOptions
    from ..evaluation.case_jobs import Cluster
    from ..evaluation.cases import read_cases
    from ..evaluation.evaluate import evaluate_cases
    from ..evaluation.evaluate_raters import evaluate_raters
    from ..evaluation.searched_cases import searched_cases
    from ..inference.estimation.estimator_choice import create_estimator
    from ..inference.estimation.model_options import ModelOptions
    from ..metrics.relations import NOISE_LEVELS
    from .progress import terminal_progress

    if missed not in ("undefined", "diagonal"):
        raise InputError(f"--missed must be undefined or diagonal, not {missed}.")
    if scheduler and cases is None:
        raise InputError("--scheduler spreads a list of cases over a cluster; give the list with --cases.")
    if raters is not None:
        chosen = create_estimator(estimator, model, engine, device, seed=seed)
        with terminal_progress() as progress:
            pair = (chosen.package, chosen.engine)
            marked = evaluate_raters(
                raters, *pair, output, samples, seed, split, overwrite, sizes=sizes, progress=progress
            )
        _say(marked, output, as_json)
        return
    if cases is None:
        raise InputError("Give a list of cases with --cases, or a folder of several readers' slices with --raters.")
    listed = read_cases(cases, split)
    options = EvaluationOptions(seed, NOISE_LEVELS if noise else (), empty=missed)  # type: ignore[arg-type]
    with terminal_progress() as progress:
        chosen = create_estimator(estimator, model, engine, device, seed=seed)
        travels = ModelOptions(model, estimator, engine, device, seed, chosen.package.fingerprint)
        cluster = Cluster(scheduler, travels) if scheduler else None
        listed = searched_cases(listed, chosen.package, chosen.engine, progress)
        outcome = evaluate_cases(
            listed, chosen.package, chosen.engine, output, options, overwrite, cluster=cluster, progress=progress
        )
    _say(outcome.summary, output, as_json)
    if outcome.n_failed:
        raise typer.Exit(SOME_FAILED)


def _say(summary: dict[str, Any], output: Path, as_json: bool) -> None:
    typer.echo(
        (output / "summary.json").read_text(encoding="utf-8") if as_json else "\n".join(_report(summary, output))
    )


def _report(summary: dict[str, Any], output: Path) -> list[str]:
    """The means as a table, then the failures, for people."""
    lines = [f"{'Metric':<{WIDTH}} {'mean':>9}   {_interval_head(summary['n_groups'])}"]
    for metric, entry in summary["metrics"].items():
        numbers = entry["mean"]
        low, high = (_number(numbers[key]) for key in ("low", "high"))
        interval = low if low == high == ABSENT else f"{low} .. {high}"
        lines.append(f"{METRIC_NAMES.get(metric, metric):<{WIDTH}} {_number(numbers['mean']):>9}   {interval}")
    lines += [f"failed: {failure['id']}: {failure['error']}" for failure in summary["failed"]]
    if summary.get("boundary", {}).get("prediction"):
        count = summary["boundary"]["prediction"]
        lines.append(f"{count} of {summary['n_cases']} cases have no label: their boundary comes from the prediction.")
    rows = output / ("slices.csv" if "n_nodules" in summary else "cases.csv")
    worst = ", ".join(f"{case['id']} ({_number(case['dice'])})" for case in summary.get("worst", ()))
    lines += [f"lowest mean Dice: {worst}"] if worst else []
    return [*lines, f"Every case: {rows}   all means: {output / 'summary.json'}"]


def _interval_head(groups: int) -> str:
    return f"95 % interval over {groups} groups" if groups != 1 else "no interval: one group only"


def _number(value: float | None) -> str:
    return ABSENT if value is None or value != value else f"{value:.4f}"
