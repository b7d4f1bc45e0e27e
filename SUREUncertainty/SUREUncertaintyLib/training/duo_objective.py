"""DUO: the class terms of any of our losses, weighted by how flat the network's own class maps are at that step."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from ..arrays.slice_axis import slice_axis
from ..core.errors import InputError
from ..nn.duo_weighting import DuoWeighting
from .denoising_objective import DenoisingObjective, DenoisingSettings
from .hierarchical_objective import HierarchicalObjective
from .recipe import Recipe
from .sure_objective import SureObjective

if TYPE_CHECKING:
    from .objectives import Batch, Objective

WARMUP_SHARE = 0.1
OWN = ("base", "base_options", "warmup", "denoising")


@dataclass(frozen=True)
class DuoObjective:
    """Another objective whose loss carries the weighting; weights and scales a class are logged beside its parts."""

    base: Objective
    weighting: DuoWeighting

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """As the base objective."""
        return {**self.base.backward(network, batch, epoch), **self.weighting.last}

    def state(self) -> dict[str, Tensor]:
        """What the base has learnt: head and table of the denoising."""
        return self.base.state() if isinstance(self.base, DenoisingObjective) else {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The inverse of ``state``."""
        if isinstance(self.base, DenoisingObjective):
            self.base.load_state(state)


def duo_objective(recipe: Recipe, classes: int, epochs: float) -> DuoObjective:
    """The objective ``duo`` of a recipe.

    ``loss.options``: ``base`` (the loss that is weighted, ``evidential`` when left out) and ``base_options`` (its own
    options), ``warmup`` (share of the epochs with plain weights and labels, 0.1), ``denoising`` (fields of
    ``DenoisingSettings``; off by default, only with the base ``evidential``), and the fields of ``DuoWeighting``.

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
    return DuoObjective(with_denoising(weighted(base, weighting), recipe, weighting.first_epoch), weighting)


def with_denoising(objective: Objective, recipe: Recipe, first_epoch: float) -> Objective:
    """The objective on denoised labels where the recipe asks for it.

    Raises:
        InputError: unknown settings, or another base than ``evidential``.
    """
    from .objectives import EvidentialObjective

    options = dict(recipe.loss.options.get("denoising") or {})
    unknown = sorted(set(options) - {f.name for f in fields(DenoisingSettings)})
    if unknown:
        raise InputError(f"Unknown options of the denoising: {', '.join(unknown)}.")
    settings = DenoisingSettings(**{"first_epoch": first_epoch, "seed": recipe.seed, **options})
    if settings.mode == "off":
        return objective
    if not isinstance(objective, EvidentialObjective):
        raise InputError("Label denoising works with the base 'evidential' only.")
    return DenoisingObjective(objective.loss, objective.classes, objective.mixed_precision, settings)


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
    from .objectives import EvidentialObjective, SoftmaxObjective

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
