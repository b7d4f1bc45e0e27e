"""The training loop: samples, gradient, step, averaged weights, log and checkpoint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.errors import EngineError, InputError
from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..nn.registry import create_network
from .augmentation import Augmentation
from .case_order import case_index, positions
from .checkpoint import load_checkpoint, load_learnt, save_checkpoint
from .distributed import Processes
from .objectives import Batch, LearningObjective, MeasuringObjective, create_objective
from .recipe import OptimisationSection, Recipe
from .trained_parts import freeze_others, training_mode
from .training_cases import TrainingCase
from .training_log import TrainingLog
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
    network: nn.Module = field(init=False)
    average: dict[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        if not self.cases:
            raise InputError("There is no case to train on.")
        torch.manual_seed(self.recipe.seed)
        network = create_network(self.recipe.network.name, self.recipe.network.arguments)
        if self.start is not None:
            network.load_state_dict(self.start)
        self.network = _with_channels_last(network.to(self.processes.device))
        learning = freeze_others(self.network, self.recipe.optimisation.train_only)
        self.processes.share(self.network)
        self.average = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        settings = self.recipe.optimisation
        self._optimizer = torch.optim.AdamW(learning, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        classes = int(self.recipe.network.arguments["out_channels"])
        self._objective = create_objective(self.recipe, classes, self._epoch(settings.steps))
        seen = self.recipe.input
        self._augment = Augmentation(self.recipe.augmentation, settings.patch or seen.patch, seen.normalisation)

    def run(self, progress: Progress = silent, is_cancelled: IsCancelled = never) -> nn.Module:
        """Train to the last step and return the network with its averaged weights, in eval mode.

        Raises:
            Cancelled: the user stopped it; the newest checkpoint stays, so that the same command resumes.
            EngineError: the loss became NaN or infinite.
        """
        state = load_checkpoint(self.output, self.network, self.average, self._optimizer) or {"step": 0}
        if isinstance(self._objective, LearningObjective):
            self._objective.load_state(load_learnt(self.output))
        first, last = int(state["step"]), self.recipe.optimisation.steps
        log = TrainingLog(self.output / "log.csv", first) if self.processes.is_first else None
        for step in range(first, last):
            self._raise_if_stopped(is_cancelled, step)
            values = self._step(step)
            done = step + 1
            if log is not None and (done % self.log_every == 0 or done == last):
                log.add(done, {**values, **self._validate(done)})
                progress(done / last, f"step {done} of {last}, loss {values['loss']:.3f}")
            if self.processes.is_first and (done % self.save_every == 0 or done == last):
                self._save(done)
        return self.averaged_network()

    def averaged_network(self) -> nn.Module:
        """A copy of the network with the averaged weights, on the CPU, in eval mode."""
        network = create_network(self.recipe.network.name, self.recipe.network.arguments)
        network.load_state_dict(self.average)
        return network.eval()

    def _step(self, step: int) -> dict[str, float]:
        batch = self._batch(step)
        rate = learning_rate(step, self.recipe.optimisation)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        training_mode(self.network, self.recipe.optimisation.train_only)
        self._optimizer.zero_grad(set_to_none=True)
        values = self._objective.backward(self.network, batch, self._epoch(step))
        if not math.isfinite(values["loss"]):
            raise EngineError(f"The loss became {values['loss']} at step {step}; try a lower learning rate.")
        self.processes.average_gradients(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.optimisation.gradient_clip)
        self._optimizer.step()
        self._update_average(step)
        return {"epoch": self._epoch(step), "learning_rate": rate, **values}

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

    @torch.no_grad()
    def _update_average(self, step: int) -> None:
        decay = min(self.recipe.optimisation.ema, (1 + step) / (10 + step))
        for name, tensor in self.network.state_dict().items():
            if tensor.dtype.is_floating_point:
                self.average[name].lerp_(tensor.detach(), 1.0 - decay)
            else:
                self.average[name].copy_(tensor)

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

    def _save(self, done: int) -> None:
        learnt = self._objective.state() if isinstance(self._objective, LearningObjective) else {}
        save_checkpoint(self.output, self.network, self.average, self._optimizer, {"step": done}, learnt)

    def _raise_if_stopped(self, is_cancelled: IsCancelled, done: int) -> None:
        """Stop where the user wants it; what was learnt since the last checkpoint is kept."""
        if self.processes.any(is_cancelled()):
            if self.processes.is_first and done:
                self._save(done)
            raise_if_cancelled(lambda: True)


def _with_channels_last(network: nn.Module) -> nn.Module:
    """2D convolutions on CPUs run about a third faster with channels last; 3D weights stay as they are."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def _channels_last(image: Tensor) -> Tensor:
    return image.contiguous(memory_format=torch.channels_last) if image.ndim == 4 else image


def learning_rate(step: int, settings: OptimisationSection) -> float:
    """Linear warm-up, then half a cosine down to zero at the last step, two with a warm restart, or no change."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    if settings.schedule == "constant":
        return settings.learning_rate
    if settings.restart_step and step >= settings.restart_step:
        return settings.restart_learning_rate * _half_cosine(step, settings.restart_step, settings.steps)
    return settings.learning_rate * _half_cosine(step, settings.warmup_steps, settings.restart_step or settings.steps)


def _half_cosine(step: int, first: int, last: int) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * (step - first) / max(1, last - first)))
