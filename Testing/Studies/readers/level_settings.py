"""What was tried for the network whose levels add up, on the tuning patients alone: one recipe each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from readers.reader_profile import CE_WEIGHT, POINT_WEIGHT, short_recipe
from readers.study_parts import ALL_READERS, CONSTRAINED, MIXTURE

NETWORK = "residual_latent_unet"
LIBRARY_LOSS = "hierarchical"
KEPT = ("spatial_dims", "in_channels", "out_channels", "channels", "norm", "latent_dim", "logsigma_clamp")
LOSS = {"draw_dice_weight": 0.0, "point_weight": POINT_WEIGHT, "partial_weight": 0.3 * CE_WEIGHT}
"""Of every setting beside the shared loss: the draw from the posterior has the lower bound, the U-Net's answer Dice."""


@dataclass(frozen=True)
class LevelSetting:
    """One setting.

    Attributes:
        weights: of each level's divergence, finest first, as multiples of the lower bound's; its own when None.
        network, loss: changes of the network's arguments and the loss options.
        objective: name of the loss, the library's or one of ``study_parts``.
    """

    weights: tuple[float, ...] | None = None
    network: dict[str, Any] = field(default_factory=dict)
    loss: dict[str, Any] = field(default_factory=dict)
    objective: str = LIBRARY_LOSS

    @property
    def options(self) -> dict[str, Any]:
        """What it changes in the loss options that all networks share."""
        if self.weights is None:
            return LOSS | self.loss
        weights = [round(CE_WEIGHT / 4**level * weight, 6) for level, weight in enumerate(self.weights)]
        return {**LOSS, **self.loss, "kl_level_weights": weights}

    @property
    def told(self) -> dict[str, Any]:
        """What a table says of its loss: the options, with the name where it is not the library's."""
        return ({} if self.objective == LIBRARY_LOSS else {"loss": self.objective}) | self.loss


def prior(weight: float, energy: float = 0.0, draws: int = 4) -> dict[str, Any]:
    """Loss options that train draws from the prior."""
    found = {"prior_draws": draws, "prior_weight": weight}
    return found | ({"energy_weight": energy} if energy else {})


SLOPED = (0.1, 0.3, 0.6, 1.0, 1.0)
LIKELY = (0.5, 1.5, 3.0, 5.0, 5.0)
FREE = [0.012, 0.012, 0.015, 0.02, 0.05]
NARROW = {"level_width": 8}
BOUNDED = {"level_bounds": [1, 1.5, 2.5, 5, 10]}
ANSWER = {"point_weight": 1.0}
LEVEL_SETTINGS: dict[str, LevelSetting] = {
    "plain": LevelSetting(),
    "free": LevelSetting(SLOPED, loss={"free_bits": 0.02}),
    "free-prior": LevelSetting(SLOPED, loss={"free_bits": 0.02, **prior(0.3)}),
    "energy": LevelSetting((0.1, 0.3, 0.6, 1.0, 2.0), BOUNDED, {"free_bits": FREE, **prior(0.3, 0.5)}),
    "energy-prior": LevelSetting(
        SLOPED,
        BOUNDED | NARROW,
        {"free_bits": [0.015, 0.015, 0.02, 0.03, 0.1], **prior(1.0, 0.5), "point_weight": POINT_WEIGHT},
    ),
    "energy-likely": LevelSetting(
        LIKELY, BOUNDED | NARROW, {"ce_weight": 3.0, "free_bits": FREE, **prior(0.3, 0.5), **ANSWER}
    ),
    "likelier": LevelSetting(
        (1.5, 5.0, 10.0, 16.0, 16.0),
        BOUNDED | NARROW,
        {"ce_weight": 10.0, "free_bits": FREE, **prior(0.3, 0.5), **ANSWER},
    ),
    "likely-energy": LevelSetting(
        LIKELY, BOUNDED | NARROW, {"ce_weight": 3.0, "free_bits": FREE, **prior(0.6, 1.5), **ANSWER}
    ),
    "likely-unbounded": LevelSetting(
        LIKELY, NARROW, {"ce_weight": 3.0, "free_bits": FREE, **prior(0.6, 1.5), **ANSWER}
    ),
    "likely-mean": LevelSetting(
        LIKELY, BOUNDED | NARROW, {"ce_weight": 3.0, "free_bits": FREE, **prior(2.0, 1.5), **ANSWER}
    ),
    "constrained": LevelSetting(
        None,
        BOUNDED | NARROW,
        {"ce_weight": 3.0, "free_bits": FREE, **prior(0.6, 1.5), **ANSWER, "bound": 0.02},
        CONSTRAINED,
    ),
    "all-readers": LevelSetting(
        LIKELY, BOUNDED | NARROW, {"ce_weight": 3.0, "free_bits": FREE, **prior(0.6, 1.5), **ANSWER}, ALL_READERS
    ),
    "mixture": LevelSetting(
        LIKELY,
        BOUNDED | NARROW,
        {"ce_weight": 3.0, "free_bits": FREE, **prior(0.6, 1.5), **ANSWER, "mixture_weight": 3.0},
        MIXTURE,
    ),
    "likely-no-energy": LevelSetting(
        LIKELY, BOUNDED | NARROW, {"ce_weight": 3.0, "free_bits": FREE, **prior(0.6), **ANSWER}
    ),
}
CHOSEN_LEVELS = "likely-energy"


def level_recipe(setting: str, seed: int, steps: int, name: str = "") -> dict[str, Any]:
    """Recipe of the network whose levels add up with one of its settings."""
    chosen = LEVEL_SETTINGS[setting]
    document = short_recipe(name or f"residual-{setting}-{seed}", seed, steps)
    arguments = {key: document["network"]["arguments"][key] for key in KEPT}
    document["network"] = {"name": NETWORK, "arguments": arguments | chosen.network}
    document["loss"] = {"name": chosen.objective, "options": document["loss"]["options"] | chosen.options}
    return document
