"""``sure recipe``: a training recipe for one's own scans."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import InputError

STRUCTURE_HELP = "Name of a structure, repeatable: VALUE=NAME, for instance 1=Liver."
PROFILE_HELP = "quick (minutes on a processor), standard or thorough."


def recipe(
    data: Annotated[Path, typer.Argument(help="Folder of your scans and label maps, or with a table cases.csv.")],
    name: Annotated[str, typer.Option(help="Name of the model to come, for instance my-liver.")],
    output: Annotated[Path, typer.Option(help="Folder for the recipe, and later for the training.")],
    profile: Annotated[str, typer.Option(help=PROFILE_HELP)] = "standard",
    structure: Annotated[list[str] | None, typer.Option(help=STRUCTURE_HELP)] = None,
) -> None:
    """Write a recipe for your own scans; sizes follow your label maps."""
    from ..training.own_cases import find_pairs, sides_of_one, sides_sentence
    from ..training.own_recipe import prepare_own
    from .progress import terminal_progress

    with terminal_progress() as progress:
        names = dict(_named(text) for text in structure or ())
        path = prepare_own(data, name, profile, output, progress, names=names)
    if sides := sides_sentence(sides_of_one(find_pairs(data))):
        typer.echo(f"! {sides}")
    typer.echo(f"The recipe lies in {path}. Change it if you want to, then train:")
    typer.echo(f"sure train {path} --data {output} --output {output}")


def _named(text: str) -> tuple[int, str]:
    """A structure's value and name."""
    value, _, name = text.partition("=")
    if not value.strip().isdigit() or not name.strip():
        raise InputError(f"'{text}' names no structure. Write the value in the label maps and a name, such as 1=Liver.")
    return int(value), name.strip()
