"""Trains what a study's arms need; what is finished is found again, what was interrupted goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, silent
from ..packages.package import Package, is_package, load_package
from ..training.run_manifest import FILE
from .study import Arm, Study, merged


@dataclass(frozen=True)
class Workplace:
    """Where a study runs.

    Attributes:
        data: the recipe's data folder.
        work: trainings and everything large.
        results: recipes and result files, kept.
        summary: a summary file whose arms are finished, too.
    """

    data: Path
    work: Path
    results: Path
    device: str | None = None
    summary: Path | None = None

    def run_folder(self, name: str) -> Path:
        """The training of one network."""
        return self.work / "runs" / name

    def package_folder(self, name: str) -> Path:
        """Its package."""
        return self.run_folder(name) / "package" / name


@dataclass(frozen=True)
class Training:
    """One network of an arm: its name, the recipe as a document, and where its weights start.

    ``start`` is a network of the study, which ``before`` trains, or a package.
    """

    name: str
    recipe: Mapping[str, Any]
    start: str = ""
    before: Training | None = None


def trainings_of(study: Study, arm: Arm, fold: int | None = None) -> list[Training]:
    """Every network of an arm on a fold, in the order of its members.

    An arm that uses the network of another has that one first; its own further members follow.
    """
    owner = study.arm(arm.of) if arm.of else arm
    first = _training(study, owner, 0, fold)
    return [first, *(_training(study, arm, member, fold) for member in range(1, arm.members))]


def train_missing(
    training: Training, place: Workplace, progress: Progress = silent, is_cancelled: IsCancelled = never
) -> Package:
    """The network's package: found finished, resumed, or trained. Its recipe stays in the results.

    Raises:
        InputError, EngineError, Cancelled: as ``training.train.train``.
    """
    import yaml

    from ..training.train import train

    if training.before is not None:
        train_missing(training.before, place, progress, is_cancelled)
    output, finished = place.run_folder(training.name), place.package_folder(training.name)
    _refuse_another(training, output)
    recipe = place.results / "recipes" / f"{training.name}.yaml"
    recipe.parent.mkdir(parents=True, exist_ok=True)
    recipe.write_text(yaml.safe_dump(dict(training.recipe), sort_keys=False), encoding="utf-8")
    if is_package(finished):
        return load_package(finished)
    given = place.package_folder(training.before.name) if training.before else training.start or None
    package = train(recipe, place.data, output, place.device, given, progress, is_cancelled)
    if package is None:
        raise ValueError("a comparison trains in one process")
    return package


def _refuse_another(training: Training, output: Path) -> None:
    """A run that was started with other settings is not taken for this one."""
    path = output / FILE
    if path.is_file():
        earlier = json.loads(path.read_text(encoding="utf-8"))["recipe"]
        if earlier != json.loads(json.dumps(training.recipe)):
            raise InputError(
                f"{output} holds a training with other settings than the study's. Give the arm another name, or remove "
                "that folder."
            )


def _training(study: Study, arm: Arm, member: int, fold: int | None) -> Training:
    base = merged(_base(study), study.changes)
    document = merged(base, arm.changes)
    name = network_name(study, arm, member, fold)
    document |= {"name": name, "seed": int(base["seed"]) + arm.seed + 1000 * member}
    if fold is not None:
        document["data"] = {**document["data"], "fold": fold}
    known = any(other.name == arm.start for other in study.arms)
    before = _training(study, study.arm(arm.start), 0, fold) if known else None
    start = before.name if before else arm.start
    return Training(name, document | ({"start_from": start} if start else {}), start, before)


def network_name(study: Study, arm: Arm, member: int = 0, fold: int | None = None) -> str:
    """Name of a package: the study, the arm, and where there are several the member and the fold."""
    parts = [study.name, arm.name]
    parts += [f"fold{fold}"] if fold is not None else []
    parts += [f"member{member}"] if member else []
    return "-".join(parts)


def _base(study: Study) -> dict[str, Any]:
    from ..training.recipe import load_recipe

    return dict(load_recipe(study.recipe).document)
