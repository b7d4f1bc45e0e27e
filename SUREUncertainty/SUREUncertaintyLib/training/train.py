"""From a recipe to a model package: the whole of ``sure train``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from torch import nn

from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, silent
from ..nn.registry import COMPARISON_ONLY, create_network
from ..packages.package import Package
from ..packages.package_building import build_package
from .case_filter import filter_training
from .description import describe_package, licence_text
from .distributed import join_processes
from .recipe import load_recipe
from .run_manifest import claim_output, history, manifest_of
from .start_weights import find_start, how_to_start
from .trainer import Trainer
from .training_cases import list_cases, load_cases


def train(
    recipe: str | Path,
    data: Path,
    output: Path,
    device: str | None = None,
    start: str | Path | None = None,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Package | None:
    """Train, or resume, and write ``output/package/NAME``.

    Args:
        recipe: a YAML file or the name of a built-in recipe.
        data: the folder that the recipe's case table lies in.
        output: log, checkpoint, manifest and package; the same command resumes what was interrupted.
        device: ``"cpu"``, ``"cuda:0"``...; the best one when None.
        start: a package whose weights to start from, in the place of the recipe's ``start_from``.

    Returns:
        The package; None in the processes of ``torchrun`` other than the first.

    Raises:
        InputError: the recipe cannot be trained, or not without a start; the cases cannot be used.
        OutputError, EngineError, PackageError, Cancelled: as the parts raise them.
    """
    settings = load_recipe(recipe)
    if settings.network.name in COMPARISON_ONLY:
        raise InputError(
            f"The network '{settings.network.name}' serves comparisons only and cannot be packed. Choose another one."
        )
    if settings.lacks_start(start):
        raise InputError(how_to_start(settings, recipe, data, output))
    files = filter_training(list_cases(settings.data, data), settings.filter, data)
    begun = find_start(settings, start)
    if begun is not None:
        begun.refuse_seen(files)
    processes = join_processes(device)
    try:
        if processes.is_first:
            claim_output(output, manifest_of(settings, files, begun))
        cases = load_cases(files.training, settings.input, progress, settings.data)
        tuning = load_cases(files.tuning, settings.input, progress, settings.data) if processes.is_first else []
        weights = begun.weights(settings) if begun else None
        rhythm = rhythm_of(settings.optimisation.steps, settings.optimisation.validate_every)
        trainer = Trainer(settings, cases, tuning, output, processes, start=weights, **rhythm)
        network = trainer.run(progress, is_cancelled)
        if not processes.is_first:
            return None
        document = describe_package(settings, network, cases, tuning)
        document["training"] |= history(files, begun)
        shipped, document["network"] = deployable(network, document["network"])
        shape = (1, int(settings.network.arguments["in_channels"]), *settings.input.patch)
        target = output / "package" / settings.name
        return build_package(target, document, shipped, licence_text(settings), shape, overwrite=True)
    finally:
        processes.close()


class Rhythm(TypedDict):
    """After how many steps each happens."""

    log_every: int
    save_every: int
    validate_every: int


def rhythm_of(steps: int, validate_every: int = 0) -> Rhythm:
    """How often to log, save and validate: often enough for a short training to draw a curve."""
    return {
        "log_every": max(1, min(50, steps // 40)),
        "save_every": max(1, min(250, steps // 10)),
        "validate_every": validate_every or max(1, min(500, steps // 10)),
    }


def deployable(network: nn.Module, description: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    """The network to pack and its ``{"name", "arguments"}``; a posterior encoder is left behind."""
    if getattr(network, "posterior_kind", "none") == "none":
        return network, description
    arguments = {**description["arguments"], "posterior": "none"}
    shipped = create_network(description["name"], arguments)
    wanted = shipped.state_dict()
    shipped.load_state_dict({name: tensor for name, tensor in network.state_dict().items() if name in wanted})
    return shipped.eval(), {**description, "arguments": arguments}
