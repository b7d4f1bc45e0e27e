"""What a supervised training step costs: SURE against plain evidential, losses and distance maps included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from pairs import PAIRS, interleaved
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.training.objectives import Batch, create_objective
from SUREUncertaintyLib.training.recipe import LossSection, Recipe, load_recipe
from SUREUncertaintyLib.training.trained_parts import freeze_others

EPOCHS = 10.0


def bench_training(model: str, pairs: int = PAIRS) -> dict[str, Any]:
    """Seconds a step of the model's network and patch, past the start of the ramp: the principled losses through all
    weights with one graph and pass by pass, and the loss that the recipe ships with, through what it trains.
    """
    recipe = load_recipe(model)
    batch = _batch(recipe)
    plain = _step(recipe, LossSection("evidential"), batch)
    rows = {}
    losses = {
        "one_graph": LossSection("sure", options={"one_graph": True}),
        "pass_by_pass": LossSection("sure", options={"one_graph": False}),
        "as_shipped": recipe.loss,
    }
    for name, loss in losses.items():
        trained = recipe.optimisation.train_only if name == "as_shipped" else ""
        supervised = _step(recipe, loss, batch, trained)
        result = interleaved(plain, supervised, pairs).document()
        rows[name] = {"plain_s": result["ours_s"], "sure_s": result["baseline_s"], "cost": result["ratio"]} | {
            key: result[key] for key in ("low", "high", "pairs")
        }
    return rows


def _batch(recipe: Recipe) -> Batch:
    """Noisy balls of two labels, two structures as large as a hippocampus, of the recipe's patch and batch size."""
    size, patch = recipe.optimisation.batch, recipe.input.patch
    grid = np.indices(patch).astype(np.float32)
    distance = np.sqrt(((grid - np.array(patch).reshape(-1, 1, 1, 1) / 2.0) ** 2).sum(0))
    label = torch.from_numpy((distance < 10).astype(np.int64) + (distance < 7)).repeat(size, 1, 1, 1)
    noise = torch.randn((size, 1, *patch), generator=torch.Generator().manual_seed(0))
    return Batch(label[:, None].float() + 0.3 * noise, label, (1.0, 1.0, 1.0), (0,))


def _step(recipe: Recipe, loss: LossSection, batch: Batch, trained: str = "") -> Callable[[], object]:
    """Forward, backward and the optimiser's step of a network of its own, or of one part of it alone."""
    network = create_network(recipe.network.name, recipe.network.arguments)
    if trained:
        freeze_others(network, trained)
    objective = create_objective(replace(recipe, loss=loss), int(recipe.network.arguments["out_channels"]), EPOCHS)
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=1e-4)

    def step() -> object:
        optimizer.zero_grad(set_to_none=True)
        values = objective.backward(network.train(), batch, 0.8 * EPOCHS)
        optimizer.step()
        return values

    return step
