"""SURE training: evidential segmentation whose uncertainty is itself supervised."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ..core.errors import InputError
from ..nn.evidential import EvidentialLoss
from ..nn.losses.settings import PRESETS, SureSettings
from ..nn.losses.sure_step import SureStep
from .recipe import Recipe

if TYPE_CHECKING:
    from .objectives import Batch


@dataclass(frozen=True)
class SureObjective:
    """L_Seg + a(epoch) (beta L_gu + gamma L_nu); see ``nn.losses.sure_step``."""

    step: SureStep

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """Gradients of one step; every draw follows from the batch's seed."""
        generator = torch.Generator().manual_seed(hash_seed(batch.seed))
        return self.step.backward(network, batch.image, batch.label, epoch, generator)


@dataclass(frozen=True)
class NoiseObjective:
    """Plain evidential training on the noisy images that SURE sees: what noise as augmentation alone brings."""

    step: SureStep

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """Gradients of one step; the noise is the one that ``SureObjective`` would draw."""
        generator = torch.Generator().manual_seed(hash_seed(batch.seed))
        return self.step.augmented(network, batch.image, batch.label, epoch, generator)


def hash_seed(seed: tuple[int, ...]) -> int:
    """One 62-bit seed for torch from a tuple."""
    return int(np.random.default_rng(seed).integers(2**62))


def sure_objective(recipe: Recipe, classes: int, epochs: float) -> SureObjective:
    """The objective ``sure`` of a recipe; ``loss.options`` holds ``preset`` and any field of ``SureSettings``."""
    return SureObjective(_step(recipe, classes, epochs))


def noise_objective(recipe: Recipe, classes: int, epochs: float) -> NoiseObjective:
    """The objective ``evidential_noise``; options as for ``sure``, of which only those of the noise act."""
    return NoiseObjective(_step(recipe, classes, epochs))


def _step(recipe: Recipe, classes: int, epochs: float) -> SureStep:
    loss = EvidentialLoss(recipe.loss.criterion, recipe.loss.ace, recipe.loss.kl_anneal_epochs, epochs)
    spacing = recipe.input.spacing
    # widths are pixels in 2D, as in the publication
    kji = None if spacing is None or len(recipe.input.patch) == 2 else tuple(reversed(spacing))
    precision = torch.bfloat16 if recipe.optimisation.mixed_precision else None
    return SureStep(loss, epochs, classes, kji, sure_settings(recipe), precision)


def sure_settings(recipe: Recipe) -> SureSettings:
    """The preset with the recipe's changes.

    Raises:
        InputError: unknown preset or option.
    """
    options = dict(recipe.loss.options)
    preset = str(options.pop("preset", "principled"))
    unknown = sorted(set(options) - {f.name for f in fields(SureSettings)})
    if preset not in PRESETS or unknown:
        raise InputError(f"Unknown preset '{preset}' or options {unknown} in the recipe's loss.")
    try:
        return replace(PRESETS[preset], **options)
    except ValueError as error:
        raise InputError(f"The recipe's loss options are wrong: {error}.") from error
