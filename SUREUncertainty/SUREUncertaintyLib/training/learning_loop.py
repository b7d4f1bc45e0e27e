"""The loop that every training shares: gradient, step, averaged weights, log and checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.errors import EngineError
from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from .checkpoint import load_checkpoint, load_learnt, save_checkpoint
from .distributed import Processes
from .recipe import OptimisationSection
from .trained_parts import freeze_others, training_mode
from .training_log import TrainingLog

Gradients = Callable[[int], dict[str, float]]
"""Adds the gradients of a step (counted from 0) to the network; the loss and its parts for the log."""

Measure = Callable[[int], Mapping[str, Any]]
"""What to log beside the loss when so many steps are done."""


def nothing_measured(done: int) -> Mapping[str, Any]:
    """The default measure."""
    return {}


def nothing_learnt() -> dict[str, Tensor]:
    """The default of what is kept beside the network."""
    return {}


@dataclass
class LearningLoop:
    """Trains a network by the gradients that a callable gives.

    A resumed run repeats the run that was never interrupted, as far as ``gradients`` is a function of the step alone.

    Attributes:
        network: on its device already; ``average`` are its averaged weights.
        output: folder for log and checkpoint.
        log_every, save_every: steps.
        learnt, load_learnt: what else belongs into a checkpoint, and the way back.
    """

    network: nn.Module
    settings: OptimisationSection
    output: Path
    processes: Processes
    gradients: Gradients
    measure: Measure = nothing_measured
    learnt: Callable[[], dict[str, Tensor]] = nothing_learnt
    load_learnt: Callable[[dict[str, Tensor]], None] | None = None
    log_every: int = 50
    save_every: int = 250
    average: dict[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        learning = freeze_others(self.network, self.settings.train_only)
        self.processes.share(self.network)
        self.average = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        rate, decay = self.settings.learning_rate, self.settings.weight_decay
        self._optimizer = torch.optim.AdamW(learning, lr=rate, weight_decay=decay)

    def run(self, progress: Progress = silent, is_cancelled: IsCancelled = never) -> None:
        """Train to the last step; afterwards ``average`` is what ships.

        Raises:
            Cancelled: the user stopped it; the newest checkpoint stays, so that the same command resumes.
            EngineError: the loss became NaN or infinite.
        """
        state = load_checkpoint(self.output, self.network, self.average, self._optimizer) or {"step": 0}
        if self.load_learnt is not None:
            self.load_learnt(load_learnt(self.output))
        first, last = int(state["step"]), self.settings.steps
        log = TrainingLog(self.output / "log.csv", first) if self.processes.is_first else None
        for step in range(first, last):
            self._raise_if_stopped(is_cancelled, step)
            values = self._step(step)
            done = step + 1
            if log is not None and (done % self.log_every == 0 or done == last):
                log.add(done, {**values, **self.measure(done)})
                progress(done / last, f"step {done} of {last}, loss {values['loss']:.3f}")
            if self.processes.is_first and (done % self.save_every == 0 or done == last):
                self._save(done)

    def _step(self, step: int) -> dict[str, float]:
        rate = learning_rate(step, self.settings)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        training_mode(self.network, self.settings.train_only)
        self._optimizer.zero_grad(set_to_none=True)
        values = self.gradients(step)
        if not math.isfinite(values["loss"]):
            raise EngineError(f"The loss became {values['loss']} at step {step}; try a lower learning rate.")
        self.processes.average_gradients(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.gradient_clip)
        self._optimizer.step()
        self._update_average(step)
        return {"learning_rate": rate, **values}

    @torch.no_grad()
    def _update_average(self, step: int) -> None:
        decay = min(self.settings.ema, (1 + step) / (10 + step))
        for name, tensor in self.network.state_dict().items():
            if tensor.dtype.is_floating_point:
                self.average[name].lerp_(tensor.detach(), 1.0 - decay)
            else:
                self.average[name].copy_(tensor)

    def _save(self, done: int) -> None:
        save_checkpoint(self.output, self.network, self.average, self._optimizer, {"step": done}, self.learnt())

    def _raise_if_stopped(self, is_cancelled: IsCancelled, done: int) -> None:
        """Stop where the user wants it; what was learnt since the last checkpoint is kept."""
        if self.processes.any(is_cancelled()):
            if self.processes.is_first and done:
                self._save(done)
            raise_if_cancelled(lambda: True)


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
