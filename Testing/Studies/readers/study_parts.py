"""Networks and losses that the comparison has beside those of the library, by the names in its recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readers.all_readers_objective import AllReadersObjective
from readers.constrained_objective import ConstrainedObjective
from readers.mixture_objective import MixtureObjective
from readers.phiseg import PHiSeg
from readers.published_loss import PublishedLoss
from readers.stochastic_segmentation import StochasticSegmentation
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.training.hierarchical_objective import HierarchicalObjective, elbo_settings
from SUREUncertaintyLib.training.objectives import Objective, create_objective
from SUREUncertaintyLib.training.recipe import Recipe
from SUREUncertaintyLib.training.training_cases import TrainingCase
from torch import nn

NETWORKS = {"stochastic_segmentation": StochasticSegmentation, "phiseg": PHiSeg}
PUBLISHED, CONSTRAINED, ALL_READERS, MIXTURE = "own", "constrained", "all_readers", "mixture"


def create_study_network(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """A network of the comparison, or of the library."""
    return NETWORKS[name](**arguments) if name in NETWORKS else create_network(name, arguments)


def create_study_objective(cases: Sequence[TrainingCase], recipe: Recipe, classes: int, epochs: float) -> Objective:
    """A loss of the comparison on these training cases, or one of the library's."""
    mixed = recipe.optimisation.mixed_precision
    options = dict(recipe.loss.options)
    if recipe.loss.name == PUBLISHED:
        return PublishedLoss(mixed)
    if recipe.loss.name == CONSTRAINED:
        bound = float(options.pop("bound"))
        return ConstrainedObjective(HierarchicalObjective(elbo_settings(options), mixed), bound)
    if recipe.loss.name == ALL_READERS:
        return AllReadersObjective(HierarchicalObjective(elbo_settings(options), mixed), cases)
    if recipe.loss.name == MIXTURE:
        weight = float(options.pop("mixture_weight"))
        return MixtureObjective(HierarchicalObjective(elbo_settings(options), mixed), weight)
    return create_objective(recipe, classes, epochs)
