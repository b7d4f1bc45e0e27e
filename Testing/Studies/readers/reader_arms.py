"""The methods of the reader comparison: one recipe each, all on the same backbone, data, steps and batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from readers.level_settings import CHOSEN_LEVELS, NETWORK, level_recipe
from readers.reader_profile import CE_WEIGHT, PLAIN, POINT_WEIGHT, SIDE, short_recipe
from readers.study_parts import PUBLISHED

ALL_LEVELS = [1.5, 0.4, 0.1, 0.01, 0.00005]
OURS = "adding-levels"
SKIPS = "hierarchical"
CONTROL = "noise-channel"
FAITHFUL = "faithful-code"
PROBABILISTIC = "probabilistic-unet"
STOCHASTIC = "stochastic-segmentation"
PHISEG = "phiseg"
SINGLE = "softmax"


@dataclass(frozen=True)
class Arm:
    """One method.

    Attributes:
        network, loss: changes of the base recipe's arguments and loss options.
        name_of_network: in the registry.
        reading: how answers are made: ``latents``, ``draws``, ``dropout``, ``single`` or ``ensemble``.
        seeds: trainings; an ensemble takes those of ``members``.
    """

    title: str
    network: dict[str, Any] = field(default_factory=dict)
    loss: dict[str, Any] = field(default_factory=dict)
    name_of_network: str = "latent_unet"
    reading: str = "latents"
    seeds: int = 3
    members: str = ""


ARMS = {
    OURS: Arm("Hierarchical latents whose levels add up (ours)", name_of_network=NETWORK),
    SKIPS: Arm("Hierarchical latents beside the skips' features"),
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
    PHISEG: Arm("PHiSeg", name_of_network="phiseg", reading="draws"),
    STOCHASTIC: Arm("Stochastic segmentation network", name_of_network="stochastic_segmentation", reading="draws"),
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
"""What was tried for the latents beside the skips' features, on the tuning patients: changes of the loss options."""
CHOSEN = "all-levels-point"


def arm_recipe(arm: str, seed: int, steps: int) -> dict[str, Any]:
    """Recipe of one training of an arm; both networks with latents on the skips have their chosen settings."""
    if arm == OURS:
        return level_recipe(CHOSEN_LEVELS, seed, steps, f"{OURS}-{seed}")
    if arm == SKIPS:
        return setting_recipe(CHOSEN, seed, steps, f"{SKIPS}-{seed}")
    chosen = ARMS[arm]
    document = short_recipe(f"{arm}-{seed}", seed, steps)
    arguments = {**document["network"]["arguments"], **chosen.network}
    if chosen.reading == "draws":
        return published_recipe(document, chosen)
    if chosen.name_of_network == "probabilistic_unet":
        kept = ("spatial_dims", "in_channels", "out_channels", "channels", "norm", "latent_dim")
        arguments = {name: arguments[name] for name in kept}
    document["network"] = {"name": chosen.name_of_network, "arguments": arguments}
    document["loss"]["options"] = {**document["loss"]["options"], **chosen.loss}
    return document


def published_recipe(document: dict[str, Any], chosen: Arm) -> dict[str, Any]:
    """Recipe of a network with the loss of its publication and the numbers in its own defaults."""
    kept = ("spatial_dims", "in_channels", "out_channels", "channels", "norm")
    arguments = {name: document["network"]["arguments"][name] for name in kept}
    return document | {
        "network": {"name": chosen.name_of_network, "arguments": arguments},
        "loss": {"name": PUBLISHED, "options": {}},
    }


def setting_recipe(setting: str, seed: int, steps: int, name: str = "") -> dict[str, Any]:
    """Recipe of the latents beside the skips' features with one of the settings."""
    document = short_recipe(name or f"setting-{setting}-{seed}", seed, steps)
    document["loss"]["options"].update(SETTINGS[setting])
    return document
