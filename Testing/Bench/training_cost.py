"""What a supervised training step costs: SURE against plain evidential, losses and distance maps included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from pairs import PAIRS
from pairs import interleaved
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.training.objectives import Batch
from SUREUncertaintyLib.training.objectives import create_objective
from SUREUncertaintyLib.training.recipe import LossSection
from SUREUncertaintyLib.training.recipe import Recipe
from SUREUncertaintyLib.training.recipe import load_recipe

EPOCHS = 10.0


def bench_training(model: str, pairs: int = PAIRS) -> dict[str, Any]:
    """Seconds a step of the model's own recipe, past the start of the ramp, with one graph and pass by pass."""
    recipe = load_recipe(model)
    batch = _batch(recipe)
    plain = _step(recipe, LossSection("evidential"), batch)
    rows = {}
    for name, one_graph in (("one_graph", True), ("pass_by_pass", False)):
        supervised = _step(recipe, LossSection("sure", options={"one_graph": one_graph}), batch)
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


def _step(recipe: Recipe, loss: LossSection, batch: Batch) -> Callable[[], object]:
    """Forward, backward and the optimiser's step of a network of its own."""
    network = create_network(recipe.network.name, recipe.network.arguments)
    objective = create_objective(replace(recipe, loss=loss), int(recipe.network.arguments["out_channels"]), EPOCHS)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def step() -> object:
        optimizer.zero_grad(set_to_none=True)
        values = objective.backward(network.train(), batch, 0.8 * EPOCHS)
        optimizer.step()
        return values

    return step
