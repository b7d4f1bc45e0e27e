"""DUO: the class terms of any of our losses, weighted by how flat the network's own class maps are at that step."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

from torch import nn

from ..core.errors import InputError
from ..difficulty.extractors.extractor import slice_axis
from ..nn.perception import DuoWeighting
from .hierarchical_objective import HierarchicalObjective
from .recipe import Recipe
from .sure_objective import SureObjective

if TYPE_CHECKING:
    from .objectives import Batch
    from .objectives import Objective

WARMUP_SHARE = 0.1
OWN = ("base", "base_options", "warmup")


@dataclass(frozen=True)
class DuoObjective:
    """Another objective whose loss carries the weighting; weights and scales a class are logged beside its parts."""

    base: Objective
    weighting: DuoWeighting

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """As the base objective."""
        return {**self.base.backward(network, batch, epoch), **self.weighting.last}


def duo_objective(recipe: Recipe, classes: int, epochs: float) -> DuoObjective:
    """The objective ``duo`` of a recipe.

    ``loss.options``: ``base`` (the loss that is weighted, ``evidential`` when left out) and ``base_options`` (its own
    options), ``warmup`` (share of the epochs with plain weights, 0.1), and the fields of ``DuoWeighting``.

    Raises:
        InputError: an option that is not known or makes no sense.
    """
    from .objectives import create_objective

    weighting = duo_weighting(recipe, epochs)
    options = recipe.loss.options
    if recipe.loss.base == "duo":
        raise InputError("The loss 'duo' weights another loss; its base cannot be 'duo'.")
    plain = replace(recipe.loss, name=recipe.loss.base, options=dict(options.get("base_options", {})))
    base = create_objective(replace(recipe, loss=plain), classes, epochs)
    return DuoObjective(weighted(base, weighting), weighting)


def duo_weighting(recipe: Recipe, epochs: float) -> DuoWeighting:
    """The weighting that a recipe asks for."""
    options = {name: value for name, value in recipe.loss.options.items() if name not in OWN}
    known = {f.name for f in fields(DuoWeighting)} - {"last", "first_epoch", "axis"}
    unknown = sorted(set(options) - known)
    if unknown:
        raise InputError(f"Unknown options of the loss 'duo': {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
    axis = slice_axis(recipe.input.orientation) if len(recipe.input.patch) == 3 else 0
    first = float(recipe.loss.options.get("warmup", WARMUP_SHARE)) * epochs
    try:
        return DuoWeighting(**options, first_epoch=first, axis=axis)
    except (TypeError, ValueError) as error:
        raise InputError(f"The recipe's loss options are wrong: {error}.") from error


def weighted(objective: Any, weighting: DuoWeighting) -> Objective:
    """The objective with the weighting inside its loss.

    Raises:
        InputError: an objective whose loss cannot carry one.
    """
    from .objectives import EvidentialObjective
    from .objectives import SoftmaxObjective

    if isinstance(objective, EvidentialObjective):
        return replace(objective, loss=replace(objective.loss, weighting=weighting))
    if isinstance(objective, SoftmaxObjective):
        return replace(objective, weighting=weighting)
    if isinstance(objective, HierarchicalObjective):
        return replace(objective, settings=replace(objective.settings, weighting=weighting))
    if isinstance(objective, SureObjective):
        segmentation = replace(objective.step.segmentation, weighting=weighting)
        return replace(objective, step=replace(objective.step, segmentation=segmentation))
    raise InputError(f"The loss 'duo' cannot weight {type(objective).__name__}.")
