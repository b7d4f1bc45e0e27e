"""``sure compare``: train arms alike, measure them on held-out scans, and put the numbers side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SOME_FAILED = 3
Results = Annotated[
    Path, typer.Option(help="A summary file, or the folder of recipes and result files, one folder a study inside.")
]
StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="A study file (YAML) or a built-in study.")]

compare_app = typer.Typer(
    help="Compare estimators: the same data and backbone, many arms, one table.", no_args_is_help=True
)


@compare_app.command("run")
def run(
    study: StudyName,
    data: Annotated[Path, typer.Option(help="Folder of the data sets.")],
    output: Annotated[Path, typer.Option(help="Folder for trainings; the same command goes on after a stop.")],
    results: Annotated[Path | None, typer.Option(help="Folder for results; OUTPUT/results if left out.")] = None,
    summary: Annotated[Path | None, typer.Option(help="A summary file; arms that stand in it are finished.")] = None,
    arm: Annotated[list[str] | None, typer.Option(help="Only this arm, with what it needs; may be repeated.")] = None,
    only_train: Annotated[
        bool, typer.Option("--only-train", help="Train and stop before anything is measured.")
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads of the engine.")] = None,
    device: Annotated[str | None, typer.Option(help="Of the training: cpu, cuda, cuda:1, mps.")] = None,
) -> None:
    """Train and measure every arm that is not finished."""
    from ..comparison.run_study import Limits, run_study
    from ..comparison.study import load_study
    from ..comparison.trainings import Workplace
    from .progress import terminal_progress
    from .training_packages import training_packages

    wanted = load_study(study)
    place = Workplace(data, output.absolute(), (results or output / "results") / wanted.name, device, summary)
    with training_packages(), terminal_progress() as progress:
        files = run_study(wanted, place, Limits(tuple(arm or ()), only_train, threads), progress)
    for path in files:
        typer.echo(f"Result: {path}")
    if summary and not files and not only_train:
        typer.echo(f"Nothing to run: every arm stands in {summary}.")
    if any(_failed(path) for path in files):
        raise typer.Exit(SOME_FAILED)


@compare_app.command("summarise")
def summarise(
    study: Annotated[list[str], typer.Argument(metavar="STUDY...", help="Study files or built-in studies.")],
    results: Annotated[Path, typer.Option(help="Folder of the recipes and result files, one folder a study inside.")],
    output: Annotated[Path, typer.Option(help="The summary file to write; arms in it that were not run again stay.")],
) -> None:
    """Put the finished arms into one small file, from which page and figures are made."""
    from ..comparison.study import load_study
    from ..comparison.study_summary import summarise as write_summary

    arms = write_summary([load_study(name) for name in study], results, output)
    typer.echo(f"Summary: {output}, {len(arms)} arms")


@compare_app.command("page")
def page(
    study: Annotated[list[str], typer.Argument(metavar="STUDY...", help="Study files or built-in studies, in order.")],
    results: Results,
    output: Annotated[Path, typer.Option(help="The page to write (Markdown); figures go to 'pictures' beside it.")],
) -> None:
    """Write the tables and figures of the finished arms."""
    from ..comparison.charts import FIGURES, draw
    from ..comparison.page import comparison_page
    from ..comparison.study import load_study
    from ..comparison.study_summary import no_result, results_of
    from ..files.writing import write_text
    from ..training.training_cases import TUNING

    studies = [load_study(name) for name in study]
    tuning = {one.name for one in studies if one.split == TUNING}  # tables alone
    found = {one.name: results_of(one, results) for one in studies}
    if not any(found.values()):
        raise no_result(results, study[0])
    write_text(output, comparison_page(studies, results))
    for one in studies:
        for name in FIGURES if found[one.name] and one.name not in tuning else ():
            draw(name, found[one.name], output.parent / "pictures" / f"{one.name}-{name}.png", one.main)
    typer.echo(f"Page: {output}")


@compare_app.command("figure")
def figure(
    study: StudyName,
    name: Annotated[str, typer.Argument(help="robustness or risk.")],
    results: Results,
    output: Annotated[Path, typer.Option(help="The PNG file to write.")],
) -> None:
    """Draw one figure of the finished arms."""
    from ..comparison.charts import draw
    from ..comparison.study import load_study
    from ..comparison.study_summary import results_of

    wanted = load_study(study)
    draw(name, results_of(wanted, results), output, wanted.main)
    typer.echo(f"Figure: {output}")


def _failed(path: Path) -> bool:
    from ..comparison.arm_result import read_result

    failed = read_result(path).facts["failed"]
    for case, error in failed.items():
        typer.echo(f"failed: {case}: {error}")
    return bool(failed)
