"""One arm of the difficulty experiments: trained from its recipe as ``sure train`` does, tested without a package."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from difficulty.damaged_sets import Plan
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.training.case_filter import filter_training
from SUREUncertaintyLib.training.distributed import join_processes
from SUREUncertaintyLib.training.recipe import Recipe, load_recipe
from SUREUncertaintyLib.training.trainer import Trainer
from SUREUncertaintyLib.training.training_cases import CaseFile, TrainingCase, list_cases, load_cases
from torch import nn


@dataclass(frozen=True)
class Tested:
    """What the arm was trained on, and mean Dice of each tuning case on the network's own grid, with its subject."""

    used: tuple[str, ...]
    dice: dict[str, float]
    groups: dict[str, str]


def train_and_test(plan: Plan, path: Path) -> Tested:
    """Train from a recipe and test on its tuning cases."""
    settings = load_recipe(path)
    files = filter_training(list_cases(settings.data, plan.tables), settings.filter, plan.tables)
    cases, tuning = _prepared(files.training, settings), _prepared(files.tuning, settings)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(settings, cases, [], Path(folder), join_processes("cpu"), save_every=plan.steps)
        network = trainer.run()
    found = {case.id: round(_dice(network, case, settings), 6) for case in tuning}
    return Tested(tuple(case.id for case in cases), found, {case.id: case.group for case in tuning})


_PREPARED: dict[CaseFile, TrainingCase] = {}


def _prepared(files: Sequence[CaseFile], settings: Recipe) -> list[TrainingCase]:
    """Each file is read once a process: all arms share one input section."""
    for file in files:
        if file not in _PREPARED:
            _PREPARED[file] = load_cases([file], settings.input)[0]
    return [_PREPARED[file] for file in files]


@torch.no_grad()
def _dice(network: nn.Module, case: TrainingCase, settings: Recipe) -> float:
    """Mean Dice over the structures of the label."""
    from monai.inferers import sliding_window_inference

    image = torch.from_numpy(case.image)[None, None]
    logits = sliding_window_inference(image, settings.input.patch, 1, network, overlap=0.5, mode="gaussian")
    predicted = logits.argmax(1)[0].numpy()  # type: ignore[union-attr]
    return float(
        np.nanmean([dice(predicted == value, case.label == value) for value in np.unique(case.label) if value])
    )
