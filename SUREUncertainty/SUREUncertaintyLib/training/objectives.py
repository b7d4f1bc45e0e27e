"""What a step minimises. An objective owns its passes and its backward, so that losses may take several passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ..core.errors import InputError
from ..nn.duo_weighting import DuoWeighting, over_batch
from ..nn.evidential import EvidentialLoss, to_one_hot
from ..nn.hierarchical.sample_fit import weighted_cross_entropy
from .duo_objective import duo_objective
from .hierarchical_objective import hierarchical_objective
from .recipe import Recipe
from .sure_objective import noise_objective, sure_objective
from .training_cases import TrainingCase


@dataclass(frozen=True)
class Batch:
    """One step's samples.

    Attributes:
        image: (B, channels, ...) float32, normalised.
        label: (B, ...) int64.
        spacing: mm along the array's axes.
        seed: of this step and process; every random draw of an objective starts from it.
        cases: numbers of the samples' cases among the ``case_count`` training cases.
    """

    image: Tensor
    label: Tensor
    spacing: tuple[float, ...]
    seed: tuple[int, ...]
    cases: tuple[int, ...] = ()
    case_count: int = 0


class Objective(Protocol):
    """Computes gradients for one step."""

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """Accumulate gradients in ``network`` and return the loss and its parts for the log."""
        ...


@runtime_checkable
class MeasuringObjective(Protocol):
    """An objective with measures of its own on held-out cases."""

    def measure(self, network: nn.Module, cases: Sequence[TrainingCase], patch: tuple[int, ...]) -> dict[str, Any]:
        """Columns for the log; a text under ``warning``."""
        ...


@runtime_checkable
class LearningObjective(Protocol):
    """An objective that learns something itself, which a resumed training needs again."""

    def state(self) -> dict[str, Tensor]:
        """What it has learnt."""
        ...

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The inverse of ``state``."""
        ...


@dataclass(frozen=True)
class EvidentialObjective:
    """Plain evidential training: L_Seg on the clean image."""

    loss: EvidentialLoss
    classes: int
    mixed_precision: bool

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """One pass, one backward."""
        with torch.autocast(batch.image.device.type, dtype=torch.bfloat16, enabled=self.mixed_precision):
            logits = network(batch.image)
        parts = self.loss.parts(logits.float(), to_one_hot(batch.label, self.classes), epoch)
        total = torch.stack(list(parts.values())).sum()
        total.backward()
        return {"loss": float(total.detach()), **{name: float(part.detach()) for name, part in parts.items()}}


@dataclass(frozen=True)
class SoftmaxObjective:
    """Cross-entropy + Dice (MONAI), the plain network that others are compared with."""

    mixed_precision: bool
    weighting: DuoWeighting | None = None

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """One pass, one backward."""
        with torch.autocast(batch.image.device.type, dtype=torch.bfloat16, enabled=self.mixed_precision):
            logits = network(batch.image)
        weights = self.weighting(logits.float(), epoch) if self.weighting else None
        total = dice_cross_entropy(logits.float(), batch.label, weights)
        total.backward()
        return {"loss": float(total.detach())}


def dice_cross_entropy(logits: Tensor, label: Tensor, weights: Tensor | None = None) -> Tensor:
    """MONAI's Dice over the batch + cross-entropy; ``weights`` (B, C) multiply the class terms of both."""
    from monai.losses import DiceLoss

    dice = DiceLoss(softmax=True, to_onehot_y=True, batch=True, reduction="none")(logits, label[:, None]).flatten()
    missed = dice if weights is None else dice * over_batch(weights)
    return missed.mean() + weighted_cross_entropy(logits, label, weights)


def _evidential(recipe: Recipe, classes: int, epochs: float) -> Objective:
    loss = EvidentialLoss(recipe.loss.criterion, recipe.loss.ace, recipe.loss.kl_anneal_epochs, epochs)
    return EvidentialObjective(loss, classes, recipe.optimisation.mixed_precision)


def _softmax(recipe: Recipe, classes: int, epochs: float) -> Objective:
    return SoftmaxObjective(recipe.optimisation.mixed_precision)


OBJECTIVES: dict[str, Callable[[Recipe, int, float], Objective]] = {
    "evidential": _evidential,
    "softmax": _softmax,
    "hierarchical": hierarchical_objective,
    "sure": sure_objective,
    "evidential_noise": noise_objective,
    "duo": duo_objective,
}


def create_objective(recipe: Recipe, classes: int, epochs: float) -> Objective:
    """The objective that the recipe's ``loss.name`` asks for."""
    if recipe.loss.name not in OBJECTIVES:
        raise InputError(
            f"Unknown loss '{recipe.loss.name}' in the recipe. Known are: {', '.join(sorted(OBJECTIVES))}."
        )
    return OBJECTIVES[recipe.loss.name](recipe, classes, epochs)
