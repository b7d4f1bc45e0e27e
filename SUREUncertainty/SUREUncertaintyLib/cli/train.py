"""``sure train``: from a recipe to a model package."""

from pathlib import Path
from typing import Annotated

import typer


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
    from .progress import terminal_progress
    from .training_packages import training_packages

    with training_packages(), terminal_progress() as progress:
        from ..training.train import train as run

        package = run(recipe, data, output, device, start, progress)
    if package is not None:
        typer.echo(f"The package lies in {package.root}.")
        typer.echo(f"Try it: sure segment IMAGE --model {package.root} --output DIR")
