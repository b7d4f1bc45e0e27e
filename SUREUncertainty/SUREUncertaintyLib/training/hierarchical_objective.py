"""Training of the hierarchical network: the evidence lower bound on a random reader's label, and its collapse probe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ..core.errors import InputError
from ..nn.hierarchical.collapse_probe import LevelProbe, collapse_warnings, probe_levels
from ..nn.hierarchical.elbo_settings import ElboSettings
from ..nn.hierarchical.presets import preset
from ..nn.hierarchical.probabilistic_unet import ProbabilisticUNet
from ..nn.hierarchical.sampled_networks import SampledNetwork
from .augmentation import Augmentation
from .recipe import AugmentationSection, Recipe
from .training_cases import TrainingCase

if TYPE_CHECKING:
    from .objectives import Batch

TrainedNetwork = SampledNetwork | ProbabilisticUNet
PROBED_CASES = 64
PROBE_BATCH = 16


@dataclass(frozen=True)
class HierarchicalObjective:
    """Cross-entropy + Dice + weighted divergences, one draw of the latents a step."""

    settings: ElboSettings
    mixed_precision: bool

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """One pass, one backward; the draw follows from the batch's seed."""
        device = batch.image.device
        generator = torch.Generator(device).manual_seed(int(np.random.default_rng(batch.seed).integers(2**31)))
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.mixed_precision):
            terms = latent_network(network).elbo(batch.image, batch.label, self.settings, epoch, generator)
        terms.loss.backward()  # type: ignore[no-untyped-call]
        return {**terms.logged(), "beta": self.settings.beta(epoch)}

    def measure(self, network: nn.Module, cases: Sequence[TrainingCase], patch: tuple[int, ...]) -> dict[str, Any]:
        """The collapse probe on held-out cases: numbers a level, and a ``warning`` when levels are dead."""
        probes = probe_cases(latent_network(network), cases, patch)
        values: dict[str, Any] = {}
        for probe in probes:
            values[f"tuning_kl_{probe.level}"] = probe.kl
            values[f"mean_spread_{probe.level}"] = probe.mean_spread
            values[f"std_{probe.level}"] = probe.std
            values[f"std_spread_{probe.level}"] = probe.std_spread
        warnings = collapse_warnings(probes)
        return {**values, "warning": " ".join(warnings)} if warnings else values


def hierarchical_objective(recipe: Recipe, classes: int, epochs: float) -> HierarchicalObjective:
    """From the recipe's ``loss.options``: ``preset`` and fields of ``ElboSettings``.

    Raises:
        InputError: an option that is not known or makes no sense.
    """
    try:
        return HierarchicalObjective(elbo_settings(recipe.loss.options), recipe.optimisation.mixed_precision)
    except (TypeError, ValueError) as error:
        raise InputError(f"The recipe's loss options are wrong: {error}") from error


def elbo_settings(options: dict[str, Any]) -> ElboSettings:
    """Settings of a preset (``principled`` when none is named) with the other options over it."""
    own = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    base = preset(str(own.pop("preset", "principled"))).elbo
    return ElboSettings(**{**base, **own})


def probe_cases(
    network: TrainedNetwork, cases: Sequence[TrainingCase], patch: tuple[int, ...]
) -> tuple[LevelProbe, ...]:
    """The probe on at most 64 cases, evenly spread over the list; none for a network without posterior."""
    if network.posterior_kind == "none" or not cases:
        return ()
    step = max(1, len(cases) // PROBED_CASES)
    return probe_levels(
        network.eval(), _batches(cases[::step][:PROBED_CASES], patch, next(network.parameters()).device)
    )


def latent_network(network: nn.Module) -> TrainedNetwork:
    """The network as what this objective trains.

    Raises:
        InputError: the recipe names another network.
    """
    if not isinstance(network, TrainedNetwork):
        raise InputError(
            "The loss 'hierarchical' trains the network 'latent_unet' or 'residual_latent_unet'; the recipe names "
            "another one."
        )
    return network


def _batches(
    cases: Sequence[TrainingCase], patch: tuple[int, ...], device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    centred = Augmentation(AugmentationSection(), patch)
    for start in range(0, len(cases), PROBE_BATCH):
        pairs = [centred(case, (start, place)) for place, case in enumerate(cases[start : start + PROBE_BATCH])]
        image = torch.stack([pair[0] for pair in pairs]).to(device)
        yield image, torch.stack([pair[1][0] for pair in pairs]).long().to(device)
