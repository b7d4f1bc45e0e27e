"""``sure recipe``: a training recipe for one's own scans."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PROFILE_HELP = "quick (minutes on a processor), standard or thorough."


def recipe(
    data: Annotated[Path, typer.Argument(help="Folder of your scans and label maps, or with a table cases.csv.")],
    name: Annotated[str, typer.Option(help="Name of the model to come, for instance my-liver.")],
    output: Annotated[Path, typer.Option(help="Folder for the recipe, and later for the training.")],
    profile: Annotated[str, typer.Option(help=PROFILE_HELP)] = "standard",
) -> None:
    """Write a recipe for your own scans; sizes follow your label maps."""
    from ..training.own_recipe import prepare_own
    from .progress import terminal_progress

    with terminal_progress() as progress:
        path = prepare_own(data, name, profile, output, progress)
    typer.echo(f"The recipe lies in {path}. Change it if you want to, then train:")
    typer.echo(f"sure train {path} --data {output} --output {output}")
