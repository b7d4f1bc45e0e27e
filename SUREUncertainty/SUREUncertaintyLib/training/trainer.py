"""Trains a network from a recipe: samples for the learning loop, and measures on tuning cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, silent
from ..nn.registry import create_network
from .appearance import create_appearance
from .augmentation import Augmentation
from .case_order import case_index, positions
from .distributed import Processes
from .learning_loop import LearningLoop
from .objectives import Batch, LearningObjective, MeasuringObjective, Objective, create_objective
from .recipe import Recipe
from .training_cases import TrainingCase
from .validation import mean_dice


@dataclass
class Trainer:
    """Trains one network from a recipe.

    A resumed run repeats the run that was never interrupted: order, patches and noise are functions of (seed, step).

    Attributes:
        cases, tuning: prepared cases; tuning cases are only measured.
        output: folder for log and checkpoint.
        start: weights to start from, fresh ones without; a checkpoint in ``output`` comes before them.
        log_every, save_every, validate_every: steps.
        make_network, make_objective: from the recipe's names; the library's own unless a study has further ones.
    """

    recipe: Recipe
    cases: Sequence[TrainingCase]
    tuning: Sequence[TrainingCase]
    output: Path
    processes: Processes
    log_every: int = 50
    save_every: int = 250
    validate_every: int = 500
    start: dict[str, Tensor] | None = None
    make_network: Callable[[str, Mapping[str, Any]], nn.Module] = create_network
    make_objective: Callable[[Recipe, int, float], Objective] = create_objective
    network: nn.Module = field(init=False)

    def __post_init__(self) -> None:
        if not self.cases:
            raise InputError("There is no case to train on.")
        torch.manual_seed(self.recipe.seed)
        network = self.make_network(self.recipe.network.name, self.recipe.network.arguments)
        if self.start is not None:
            network.load_state_dict(self.start)
        self.network = _with_channels_last(network.to(self.processes.device))
        settings = self.recipe.optimisation
        classes = int(self.recipe.network.arguments["out_channels"])
        objective = self.make_objective(self.recipe, classes, self._epoch(settings.steps))
        self._objective = objective
        given, changes = self.recipe.input, self.recipe.augmentation
        appearance = create_appearance(changes, given.normalisation)
        self._augment = Augmentation(changes, settings.patch or given.patch, appearance)
        self._loop = LearningLoop(
            self.network,
            settings,
            self.output,
            self.processes,
            self._gradients,
            self._validate,
            log_every=self.log_every,
            save_every=self.save_every,
        )
        if isinstance(objective, LearningObjective):
            self._loop.learnt, self._loop.load_learnt = objective.state, objective.load_state

    @property
    def average(self) -> dict[str, Tensor]:
        """The averaged weights."""
        return self._loop.average

    def run(self, progress: Progress = silent, is_cancelled: IsCancelled = never) -> nn.Module:
        """Train to the last step and return the network with its averaged weights, in eval mode.

        Raises:
            Cancelled, EngineError: as ``LearningLoop.run``.
        """
        self._loop.run(progress, is_cancelled)
        return self.averaged_network()

    def averaged_network(self) -> nn.Module:
        """A copy of the network with the averaged weights, on the CPU, in eval mode."""
        network = self.make_network(self.recipe.network.name, self.recipe.network.arguments)
        network.load_state_dict(self.average)
        return network.eval()

    def _gradients(self, step: int) -> dict[str, float]:
        epoch = self._epoch(step)
        return {"epoch": epoch, **self._objective.backward(self.network, self._batch(step), epoch)}

    def _batch(self, step: int) -> Batch:
        size, device = self.recipe.optimisation.batch, self.processes.device
        chosen = positions(step, size, self.processes.rank, self.processes.world)
        numbers = tuple(case_index(place, len(self.cases), self.recipe.seed) for place in chosen)
        cases = [self.cases[number] for number in numbers]
        pairs = [self._augment(case, (self.recipe.seed, 1, place)) for case, place in zip(cases, chosen, strict=True)]
        image = _channels_last(torch.stack([pair[0] for pair in pairs]).to(device))
        label = torch.stack([pair[1][0] for pair in pairs]).long().to(device)
        seed = (self.recipe.seed, 2, step, self.processes.rank)
        return Batch(image, label, cases[0].spacing, seed, numbers, len(self.cases))

    def _epoch(self, step: int) -> float:
        samples = step * self.recipe.optimisation.batch * self.processes.world
        return samples / len(self.cases)

    def _validate(self, done: int) -> dict[str, Any]:
        due = done % self.validate_every == 0 or done == self.recipe.optimisation.steps
        if not self.tuning or not due:
            return {}
        network = self.averaged_network().to(self.processes.device)
        patch = self.recipe.input.patch
        own = (
            self._objective.measure(network, self.tuning, patch)
            if isinstance(self._objective, MeasuringObjective)
            else {}
        )
        return {"tuning_dice": mean_dice(network, self.tuning, patch), **own}


def _with_channels_last(network: nn.Module) -> nn.Module:
    """2D convolutions on CPUs run about a third faster with channels last; 3D weights stay as they are."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def _channels_last(image: Tensor) -> Tensor:
    return image.contiguous(memory_format=torch.channels_last) if image.ndim == 4 else image
