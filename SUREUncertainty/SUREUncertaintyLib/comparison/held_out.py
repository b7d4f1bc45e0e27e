"""The cases that a study compares on, and the refusal to compare on anything that a network has seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..core.errors import InputError
from ..evaluation.cases import Case
from ..packages.package import Package
from ..training.recipe import Recipe
from ..training.training_cases import TUNING, list_held_out


def held_out_cases(recipe: Recipe, data: Path, split: str) -> tuple[Case, ...]:
    """The cases of a split, or of the recipe's fold, as ``sure evaluate`` takes them.

    Raises:
        InputError: no table, or no such case.
    """
    files = list_held_out(recipe.data, data, split)
    return tuple(Case(file.image, file.label, file.id, file.group, split) for file in files)


def refuse_seen(package: Package, cases: Sequence[Case], split: str = "") -> None:
    """Raise ``InputError`` when the package's record lists a case, or one of its group, as trained or tuned on.

    Where settings are chosen (``split`` is ``training.training_cases.TUNING``), cases that were tuned on are the right
    ones.
    """
    training = package.metadata.training
    seen = frozenset(training.training_ids) if split == TUNING else training.seen
    if not seen:
        raise InputError(
            f"The model {package.name} does not say which cases it was trained on, so that nothing measured on these "
            "cases would be held-out. Train it again, or choose another model."
        )
    shared = sorted(case.id for case in cases if case.id in seen)
    if shared:
        raise InputError(
            f"The model {package.name} was trained or tuned on {len(shared)} of the cases that it is to be measured "
            f"on: {', '.join(shared[:5])}. Choose cases that it has not seen."
        )
