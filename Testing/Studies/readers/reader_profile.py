"""The profile of the reader comparison: backbone, data, budget and loss that all methods share."""

from __future__ import annotations

from typing import Any

import yaml
from SUREUncertaintyLib.training.recipe import find_recipe

BASE = "lung-nodule-ct-plain"
LATENTS = {
    "latent_mode": "gaussian",
    "posterior": "separate",
    "posterior_input": "image+label",
    "logsigma_clamp": [-7.0, 3.0],
}
"""Arguments of the network with latents on its skips, beside those of the recipe of the one without."""
WIDTHS = [6, 12, 24, 48, 64, 64]
SIDE = 64
"""Pixels: the middle of every slice. Marks beyond it, on about 3 % of the slices, are cut for every method alike."""
START = {"steps": 1000, "batch": 8, "learning_rate": 0.002, "warmup_steps": 50, "ema": 0.99}
SHORT = {"steps": 800, "batch": 8, "learning_rate": 0.001, "warmup_steps": 20, "ema": 0.99}
CE_WEIGHT = 0.6
WARMUP = 0.2
"""Epochs until the divergence has its full weight."""
LOSS = {
    "preset": "principled",
    "ce_weight": CE_WEIGHT,
    "dice_weight": 0.4,
    "kl_weight": 1.0,
    "kl_level_weights": "elbo",
    "kl_warmup_epochs": WARMUP,
}
POINT_WEIGHT = 0.3
PLAIN = {"latent_mode": "off", "posterior": "none"}


def base_recipe() -> dict[str, Any]:
    """The recipe that the shipped package starts from, as a document."""
    document: dict[str, Any] = yaml.safe_load(find_recipe(BASE).read_text(encoding="utf-8"))
    return document


def short_recipe(name: str, seed: int, steps: int) -> dict[str, Any]:
    """That recipe in the profile of this comparison, with latents on the skips."""
    document = {**base_recipe(), "name": name, "seed": seed, "augmentation": {}, "package": {}}
    shared = {name: document["optimisation"][name] for name in ("weight_decay", "gradient_clip", "mixed_precision")}
    document["optimisation"] = {
        **shared,
        **SHORT,
        "steps": steps,
        "warmup_steps": min(SHORT["warmup_steps"], steps // 5),
    }
    document["loss"] = {"name": "hierarchical", "options": dict(LOSS)}
    arguments = {**document["network"]["arguments"], **LATENTS, "channels": WIDTHS}
    document["network"] = {"name": "latent_unet", "arguments": arguments}
    document["input"] = {**document["input"], "patch": [SIDE, SIDE]}
    return document


def start_recipe(seed: int) -> dict[str, Any]:
    """Recipe of the network with latents off that every arm of a seed starts from."""
    document = short_recipe(f"start-{seed}", seed, START["steps"])
    document["optimisation"].update(START)
    document["network"]["arguments"].update(PLAIN)
    return document
