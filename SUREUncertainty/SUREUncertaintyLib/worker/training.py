"""The worker's command ``train``: a person's own scans in, a model in the list out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.errors import EngineError, InputError
from ..core.progress import IsCancelled, Progress, part_of

NEEDS = "Training needs {name}, which is not installed. Install it in Set-up: 'Install PyTorch ...'."
PREPARING = 0.05
"""Share of the progress that looking at the scans takes."""


def train_own(arguments: dict[str, Any], progress: Progress, is_cancelled: IsCancelled) -> dict[str, Any]:
    """Train or resume; the package goes into the user's folder of models, under a name that is free there.

    Args:
        arguments: ``folder``, ``name``, ``profile``, ``output`` as for ``training.own_recipe.prepare_own``; or a
            ``recipe`` of the user's, whose case table lies in ``folder``.

    Returns:
        ``model``, the name in the catalogue, and ``root``, its folder.

    Raises:
        InputError, EngineError, PackageError, OutputError, Cancelled.
    """
    try:
        from ..packages.importing import import_package
        from ..training.own_cases import find_pairs, sides_of_one, sides_sentence
        from ..training.own_recipe import prepare_own
        from ..training.train import train
    except ImportError as error:
        raise EngineError(NEEDS.format(name=error.name)) from error
    folder, output = Path(arguments["folder"]), Path(arguments["output"])
    recipe, data = arguments.get("recipe"), folder
    if recipe is None:
        looking = part_of(progress, 0.0, PREPARING)
        recipe = prepare_own(folder, arguments["name"], arguments["profile"], output, looking, is_cancelled)
        data = output
        if sides := sides_sentence(sides_of_one(find_pairs(folder))):
            looking(1.0, sides)
    package = train(recipe, data, output, progress=part_of(progress, PREPARING, 1.0), is_cancelled=is_cancelled)
    if package is None:
        raise InputError("Training in several processes is started from the command line.")
    imported = import_package(package.root, free_name(package.metadata.name))
    return {"model": imported.name, "root": str(imported.root)}


def free_name(name: str) -> str:
    """The name, with a number where a model of this name is in the list already."""
    from ..packages.catalogue import list_entries

    taken = {entry.name for entry in list_entries()}
    candidates = (name if number == 1 else f"{name}-{number}" for number in range(1, 10_000))
    return next(candidate for candidate in candidates if candidate not in taken)
