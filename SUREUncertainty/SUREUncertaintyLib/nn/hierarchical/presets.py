"""The two named forms of the method: ours, and the released code's.

| | ``principled`` | ``faithful_code`` | why |
|---|---|---|---|
| draw | reparametrised | ``sample()`` | without gradient through z, CE and Dice never train mean and sigma |
| posterior | own encoder and heads | those of the prior | a head that ignores its input makes KL = 0 |
| posterior's input | image and one-hot label | class numbers | p(z given x, y) needs x; class numbers have no order |
| divergence | KL(q to p) | KL(p to q) | the evidence lower bound's direction |
| log sigma | clamped to -7..3 | free | exp overflows |
| beta | 0.1, warm-up of 10 epochs | 0.1 at once | |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """Arguments of ``LatentUNet`` and of ``ElboSettings``."""

    network: dict[str, Any]
    elbo: dict[str, Any]


PRESETS = {
    "principled": Preset(
        network={"posterior": "separate", "posterior_input": "image+label", "logsigma_clamp": [-7.0, 3.0]},
        elbo={"reparam": True, "kl_direction": "qp", "kl_weight": 0.1, "kl_warmup_epochs": 10.0},
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
