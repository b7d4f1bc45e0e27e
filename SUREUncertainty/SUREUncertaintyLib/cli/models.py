"""``sure models``: which models there are, what they are, whether they are intact, how to add and remove one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..packages.catalogue import Entry, find_folder, find_package, list_entries, user_folder
from ..packages.integrity import differences, recorded_checksums, verify as verify_files
from ..packages.package import Package, load_package

models_app = typer.Typer(help="List, show, verify, import and remove models.", no_args_is_help=True)
Model = Annotated[str, typer.Argument(metavar="NAME", help="Name in the catalogue, or a package's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
MEGABYTE = 1_000_000


@models_app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that ship with the program and those that you imported."""
    entries = list_entries()
    if as_json:
        _print_json([_entry_facts(entry) for entry in entries])
    elif not entries:
        typer.echo(f"There is no model yet. 'sure models import FOLDER' copies one to {user_folder()}.")
    else:
        _print_table(("Name", "Version", "Modality", "Task", "MB", "Where"), [_row(entry) for entry in entries])


@models_app.command("show")
def show_model(model: Model, as_json: AsJson = False) -> None:
    """Show what a model segments, what it wants and how it was trained."""
    package = find_package(model)
    if as_json:
        _print_json({**_package_facts(package), "metadata": package.metadata.raw})
        return
    facts = {"name": package.name, "fingerprint": package.fingerprint, "folder": str(package.root)}
    size = f"{package.size_bytes / MEGABYTE:.1f} MB"
    typer.echo("\n".join(f"{key:<12} {value}" for key, value in (facts | {"size": size}).items()) + "\n")
    typer.echo((package.root / "docs" / "README.md").read_text(encoding="utf-8"))


@models_app.command("verify")
def verify_model(model: Model, as_json: AsJson = False) -> None:
    """Check the SHA-256 of every file of a model."""
    root = find_folder(model)
    if as_json:
        found = differences(root)
        _print_json({"name": root.name, "intact": not found, **vars(found)})
        raise typer.Exit(2 if found else 0)
    verify_files(root)
    package = load_package(root, verify=False)
    count = len(recorded_checksums(root))
    typer.echo(f"{package.name}: all {count} files are as they were made.\nfingerprint {package.fingerprint}")


@models_app.command("import")
def import_model(
    path: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder or zip: a package, a MONAI Bundle, nnU-Net, Auto3DSeg.")
    ],
    name: Annotated[str | None, typer.Option(help="Name in the catalogue; the model's own if left out.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also import a model that was poor on set-aside scans.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy a model into your own folder of models."""
    from ..packages.importing import import_package
    from ..packages.recognising import summary
    from .progress import terminal_progress

    with terminal_progress() as progress:
        package = import_package(path, name, force, progress)
    if as_json:
        _print_json(_package_facts(package))
    else:
        typer.echo(f"Imported {package.name} to {package.root}: {summary(package)}")
        typer.echo(f"Try it: sure segment IMAGE --model {package.name}")
        _say_left_out(package.metadata.raw.get("source") or {})


@models_app.command("remove")
def remove_own_model(
    model: Annotated[str, typer.Argument(metavar="NAME", help="Name in the catalogue.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a model that you imported, trained or copied, with its files."""
    from ..packages.removal import own_model, remove_model

    entry = own_model(model)
    if not yes:
        typer.confirm(f"Remove the model '{entry.name}' and its files from {entry.root}?", abort=True)
    remove_model(entry)
    typer.echo(f"The model '{entry.name}' is gone.")


@models_app.command("licence")
def state_model_licence(
    model: Model,
    licence: Annotated[str, typer.Argument(metavar="LICENCE", help="Its name, such as 'CC BY 4.0'.")],
    file: Annotated[Path | None, typer.Option(help="A file with the whole text.", exists=True, dir_okay=False)] = None,
) -> None:
    """Say under which licence the weights of an imported model are, where its makers told you."""
    from ..packages.licence import state_licence

    text = None if file is None else file.read_text(encoding="utf-8")
    package = state_licence(find_package(model), licence, text)
    typer.echo(f"{package.name}: {package.metadata.licence}\nfingerprint {package.fingerprint}")


def _say_left_out(source: dict[str, Any]) -> None:
    """What lay beside the training that came in."""
    if source.get("unfinished"):
        typer.echo(f"Left out, as they have no checkpoint: {', '.join(source['unfinished'])}.")
    if source.get("not_taken"):
        typer.echo(
            f"Other trainings of the data set, each to be imported by its own folder: {', '.join(source['not_taken'])}."
        )
    if source.get("cascades"):
        typer.echo(f"Left out, as the second stage of a cascade is not supported: {', '.join(source['cascades'])}.")


def _package_facts(package: Package) -> dict[str, Any]:
    metadata = package.metadata
    return {
        "name": package.name,
        "version": metadata.version,
        "task": metadata.task,
        "modality": metadata.modality,
        "structures": [label.name for label in metadata.foreground],
        "uncertainty": list(metadata.kinds),
        "size_bytes": package.size_bytes,
        "fingerprint": package.fingerprint,
        "folder": str(package.root),
    }


def _entry_facts(entry: Entry) -> dict[str, Any]:
    facts = {"name": entry.name, "folder": str(entry.root), "problem": entry.problem}
    return {**facts, **(_package_facts(entry.package) if entry.package else {}), "built_in": entry.built_in}


def _row(entry: Entry) -> tuple[str, ...]:
    where = "built in" if entry.built_in else str(entry.root)
    if entry.package is None:
        return (entry.name, "", "", entry.problem, "", where)
    metadata = entry.package.metadata
    size = f"{entry.package.size_bytes / MEGABYTE:.1f}"
    return (entry.name, metadata.version, metadata.modality, metadata.task, size, where)


def _print_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2))


def _print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=SIMPLE)
    for row in rows:
        table.add_row(*row)
    Console(markup=False, emoji=False).print(table)
