"""The methods of the reader comparison: one recipe each, all on the same backbone, data, steps and batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml
from SUREUncertaintyLib.training.recipe import find_recipe

BASE = "lung-nodule-ct"
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
ALL_LEVELS = [1.5, 0.4, 0.1, 0.01, 0.00005]
POINT_WEIGHT = 0.3
OURS = "hierarchical"
CONTROL = "noise-channel"
FAITHFUL = "faithful-code"
PROBABILISTIC = "probabilistic-unet"
SINGLE = "softmax"


@dataclass(frozen=True)
class Arm:
    """One method.

    Attributes:
        network, loss: changes of the base recipe's arguments and loss options.
        name_of_network: in the registry.
        reading: how answers are made: ``latents``, ``dropout``, ``single`` or ``ensemble``.
        seeds: trainings; an ensemble takes those of ``members``.
    """

    title: str
    network: dict[str, Any] = field(default_factory=dict)
    loss: dict[str, Any] = field(default_factory=dict)
    name_of_network: str = "latent_unet"
    reading: str = "latents"
    seeds: int = 3
    members: str = ""


PLAIN = {"latent_mode": "off", "posterior": "none"}
ARMS = {
    OURS: Arm("Hierarchical latents (ours)"),
    FAITHFUL: Arm(
        "Hierarchical latents, form of the released code",
        {"posterior": "shared", "posterior_input": "label", "logsigma_clamp": None, "latent_dim": 1},
        {"preset": "faithful_code", "kl_weight": 1e-5, "kl_level_weights": None, "kl_warmup_epochs": 0},
    ),
    CONTROL: Arm(
        "Control: fixed N(0, 1) noise channel",
        {"latent_mode": "noise", "posterior": "none"},
        # everything but the latents as in ours
        {"point_weight": POINT_WEIGHT},
    ),
    PROBABILISTIC: Arm(
        "Probabilistic U-Net",
        {"latent_dim": 6},
        # a z of six numbers; the mean over them and the one location makes this weight the lower bound's
        {"kl_level_weights": [6 * CE_WEIGHT / SIDE**2]},
        name_of_network="probabilistic_unet",
    ),
    "dropout": Arm("Monte Carlo dropout", {**PLAIN, "dropout": 0.2}, reading="dropout", seeds=1),
    SINGLE: Arm("Softmax, one pass", PLAIN, reading="single", seeds=5),
    "ensemble": Arm("Ensemble of 5", PLAIN, reading="ensemble", seeds=1, members=SINGLE),
}

SETTINGS: dict[str, dict[str, Any]] = {
    "deep-light": {"kl_level_weights": [10.0, 10.0, 10.0, 0.001, 0.00025]},
    "deep-lighter": {"kl_level_weights": [10.0, 10.0, 10.0, 0.0004, 0.00005]},
    "deepest-lighter": {"kl_level_weights": [10.0, 10.0, 10.0, 0.01, 0.00005]},
    "graded": {"kl_level_weights": [3.0, 0.75, 0.15, 0.01, 0.0003]},
    "all-levels": {"kl_level_weights": ALL_LEVELS},
    "all-levels-point": {"kl_level_weights": ALL_LEVELS, "point_weight": POINT_WEIGHT},
    "all-levels-point-2": {"kl_level_weights": ALL_LEVELS, "point_weight": 2 * POINT_WEIGHT},
    "deepest-lighter-point": {"kl_level_weights": [10.0, 10.0, 10.0, 0.01, 0.00005], "point_weight": POINT_WEIGHT},
}
"""What was tried for ours on the tuning patients: changes of the loss options."""
CHOSEN = "all-levels-point"


def base_recipe() -> dict[str, Any]:
    """The shipped recipe as a document."""
    document: dict[str, Any] = yaml.safe_load(find_recipe(BASE).read_text(encoding="utf-8"))
    return document


def short_recipe(name: str, seed: int, steps: int) -> dict[str, Any]:
    """The shipped recipe in the profile of this comparison."""
    document = {**base_recipe(), "name": name, "seed": seed, "augmentation": {}, "package": {}}
    shared = {name: document["optimisation"][name] for name in ("weight_decay", "gradient_clip", "mixed_precision")}
    document["optimisation"] = {
        **shared,
        **SHORT,
        "steps": steps,
        "warmup_steps": min(SHORT["warmup_steps"], steps // 5),
    }
    document["loss"] = {"name": "hierarchical", "options": dict(LOSS)}
    arguments = {**document["network"]["arguments"], "channels": WIDTHS}
    document["network"] = {"name": "latent_unet", "arguments": arguments}
    document["input"] = {**document["input"], "patch": [SIDE, SIDE]}
    return document


def start_recipe(seed: int) -> dict[str, Any]:
    """Recipe of the network with latents off that every arm of a seed starts from."""
    document = short_recipe(f"start-{seed}", seed, START["steps"])
    document["optimisation"].update(START)
    document["network"]["arguments"].update(PLAIN)
    return document


def arm_recipe(arm: str, seed: int, steps: int) -> dict[str, Any]:
    """Recipe of one training of an arm; ours has the chosen setting."""
    if arm == OURS:
        return setting_recipe(CHOSEN, seed, steps, f"{OURS}-{seed}")
    chosen = ARMS[arm]
    document = short_recipe(f"{arm}-{seed}", seed, steps)
    arguments = {**document["network"]["arguments"], **chosen.network}
    if chosen.name_of_network == "probabilistic_unet":
        kept = ("spatial_dims", "in_channels", "out_channels", "channels", "norm", "latent_dim")
        arguments = {name: arguments[name] for name in kept}
    document["network"] = {"name": chosen.name_of_network, "arguments": arguments}
    document["loss"]["options"] = {**document["loss"]["options"], **chosen.loss}
    return document


def setting_recipe(setting: str, seed: int, steps: int, name: str = "") -> dict[str, Any]:
    """Recipe of ours with one of the settings."""
    document = short_recipe(name or f"setting-{setting}-{seed}", seed, steps)
    document["loss"]["options"].update(SETTINGS[setting])
    return document
