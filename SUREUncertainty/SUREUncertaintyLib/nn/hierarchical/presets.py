"""The named forms of the method: ours, the released code's, and ours for ``ResidualLatentUNet``.

| | ``principled`` | ``faithful_code`` | why |
|---|---|---|---|
| draw | reparametrised | ``sample()`` | without gradient through z, CE and Dice never train mean and sigma |
| posterior | own encoder and heads | those of the prior | a head that ignores its input makes KL = 0 |
| posterior's input | image and one-hot label | class numbers | p(z given x, y) needs x; class numbers have no order |
| divergence | KL(q to p) | KL(p to q) | the evidence lower bound's direction |
| log sigma | clamped to -7..3 | free | exp overflows |
| beta | 0.1, warm-up of 10 epochs | 0.1 at once | |

``adding_levels`` is ``principled`` with the lower bound's own weights and no Dice on the draw from the posterior, and
trains draws from the prior, the sums of the coarser levels and the U-Net's answer. Bounds, weights and free bits of
single levels depend on their number and are the recipe's; ``Testing/Studies/readers/level_settings.py`` has some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """Arguments of the network and of ``ElboSettings``."""

    network: dict[str, Any]
    elbo: dict[str, Any]


PRESETS = {
    "principled": Preset(
        network={"posterior": "separate", "posterior_input": "image+label", "logsigma_clamp": [-7.0, 3.0]},
        elbo={"reparam": True, "kl_direction": "qp", "kl_weight": 0.1, "kl_warmup_epochs": 10.0},
    ),
    "adding_levels": Preset(
        network={"posterior": "separate", "logsigma_clamp": [-7.0, 3.0], "level_width": 8},
        elbo={
            "reparam": True,
            "kl_direction": "qp",
            "kl_weight": 1.0,
            "kl_warmup_epochs": 0.2,
            "kl_level_weights": "elbo",
            "free_bits": 0.015,
            "ce_weight": 3.0,
            "dice_weight": 0.4,
            "draw_dice_weight": 0.0,
            "partial_weight": 0.18,
            "prior_draws": 4,
            "prior_weight": 0.6,
            "energy_weight": 1.5,
            "point_weight": 1.0,
        },
    ),
    "faithful_code": Preset(
        network={"posterior": "shared", "posterior_input": "label", "logsigma_clamp": None},
        elbo={"reparam": False, "kl_direction": "pq", "kl_weight": 0.1, "kl_warmup_epochs": 0.0},
    ),
}


def preset(name: str) -> Preset:
    """A form by name.

    Raises:
        ValueError: no such form.
    """
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; known are {', '.join(PRESETS)}")
    return PRESETS[name]
