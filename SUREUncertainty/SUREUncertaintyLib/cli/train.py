"""``sure train``: from a recipe to a model package."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import Cancelled
from ..packages.held_out import held_out_sentence


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe file (YAML) or the name of a built-in recipe.")],
    data: Annotated[Path, typer.Option(help="Folder that holds the recipe's case table.")],
    output: Annotated[Path, typer.Option(help="Folder for log, checkpoint and package; the same command resumes.")],
    start: Annotated[
        str | None,
        typer.Option(
            help="Model package whose weights to start from; the recipe's start_from if left out. Some recipes, such "
            "as hippocampus-t1, need one."
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; the best one if left out.")] = None,
) -> None:
    """Train a network and write it as a model package."""
    from .progress import printed_progress
    from .training_packages import training_packages

    with training_packages(), printed_progress() as progress:
        from ..training.train import train as run

        try:
            package = run(recipe, data, output, device, start, progress)
        except (KeyboardInterrupt, Cancelled):
            raise Cancelled(_how_to_go_on(recipe, data, output, device, start)) from None
    if package is not None:
        typer.echo(f"The package lies in {package.root}.")
        typer.echo(held_out_sentence(package.metadata.training))
        typer.echo(f"Try it: sure segment IMAGE --model {package.root} --output DIR")


def _how_to_go_on(recipe: str, data: Path, output: Path, device: str | None, start: str | None) -> str:
    command = ["sure", "train", recipe, "--data", str(data), "--output", str(output)]
    command += ["--start", start] if start else []
    command += ["--device", device] if device else []
    kept = any((output / "checkpoint").glob("*")) if (output / "checkpoint").is_dir() else False
    what = (
        "What was learnt until the last saved step is kept; the same command goes on from there"
        if kept
        else "Nothing was saved yet; the same command begins anew"
    )
    return f"The training was stopped. {what}:\n  {shlex.join(command)}"
