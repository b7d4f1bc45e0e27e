"""``sure evaluate``: every metric of a model on a list of cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Any

import typer

if TYPE_CHECKING:
    from ..inference.engine import Engine
    from ..packages.package import Package

SOME_FAILED = 3


def evaluate(
    model: Annotated[str, typer.Option(help="Name in the catalogue, or a package's folder.")],
    output: Annotated[Path, typer.Option(help="Folder for cases.csv and summary.json.")],
    cases: Annotated[
        Path | None, typer.Option(help="CSV with columns image, label, and optionally id, group, split.")
    ] = None,
    raters: Annotated[
        Path | None, typer.Option(help="Instead of --cases: folder of slices that several readers marked (npz + csv).")
    ] = None,
    samples: Annotated[int, typer.Option(help="With --raters: samples a slice, for models with latents.")] = 16,
    split: Annotated[str | None, typer.Option(help="Only the cases of this split.")] = None,
    engine: Annotated[str, typer.Option(help="auto, torch or openvino.")] = "auto",
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1 or mps; the engine chooses if left out.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the noise fields and of the bootstrap.")] = 0,
    noise: Annotated[bool, typer.Option(help="Also run every scan under noise (five more passes a case).")] = True,
    missed: Annotated[
        str, typer.Option(help="HD95 and ASSD of missed structures: undefined or diagonal.")
    ] = "undefined",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace earlier results in the output folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of a table.")] = False,
) -> None:
    """Measure a model on labelled scans: overlap, surface, calibration, and whether its doubt finds its errors."""
    from ..core.errors import InputError
    from ..inference.choose import create_engine
    from ..metrics.cases import read_cases
    from ..metrics.evaluation import EvaluationOptions
    from ..metrics.evaluation import evaluate_cases
    from ..metrics.relations import NOISE_LEVELS
    from ..packages.catalogue import find_package
    from .progress import terminal_progress

    if missed not in ("undefined", "diagonal"):
        raise InputError(f"--missed must be undefined or diagonal, not {missed}.")
    package = find_package(model)
    if raters is not None:
        _evaluate_raters(
            raters, package, create_engine(package, engine, device), output, samples, seed, split, overwrite, as_json
        )
        return
    if cases is None:
        raise InputError("Give a list of cases with --cases, or a folder of several readers' slices with --raters.")
    listed = read_cases(cases, split)
    options = EvaluationOptions(seed, NOISE_LEVELS if noise else (), empty=missed)  # type: ignore[arg-type]
    with terminal_progress() as progress:
        runner = create_engine(package, engine, device)
        outcome = evaluate_cases(listed, package, runner, output, options, overwrite, progress=progress)
    if as_json:
        typer.echo((output / "summary.json").read_text(encoding="utf-8"))
    else:
        typer.echo("\n".join(_report(outcome.summary, output)))
    if outcome.n_failed:
        raise typer.Exit(SOME_FAILED)


def _evaluate_raters(
    folder: Path,
    package: Package,
    runner: Engine,
    output: Path,
    samples: int,
    seed: int,
    split: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    from ..metrics.multirater_evaluation import evaluate_raters
    from .progress import terminal_progress

    with terminal_progress() as progress:
        summary = evaluate_raters(folder, package, runner, output, samples, seed, split, overwrite, progress=progress)
    text = (output / "summary.json").read_text(encoding="utf-8") if as_json else "\n".join(_report(summary, output))
    typer.echo(text)


def _report(summary: dict[str, Any], output: Path) -> list[str]:
    """The means as a table, then the failures, for people."""
    lines = [f"{'metric':<18} {'mean':>9}   95 % interval over {summary['n_groups']} groups"]
    for metric, entry in summary["metrics"].items():
        numbers = entry["mean"]
        low, high = (_number(numbers[key]) for key in ("low", "high"))
        lines.append(f"{metric:<18} {_number(numbers['mean']):>9}   {low} .. {high}")
    lines += [f"failed: {failure['id']}: {failure['error']}" for failure in summary["failed"]]
    if summary.get("boundary", {}).get("prediction"):
        count = summary["boundary"]["prediction"]
        lines.append(f"{count} of {summary['n_cases']} cases have no label: their boundary comes from the prediction.")
    rows = output / ("slices.csv" if "n_nodules" in summary else "cases.csv")
    return [*lines, f"Every case: {rows}   all means: {output / 'summary.json'}"]


def _number(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.4f}"
