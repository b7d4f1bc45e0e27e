"""Settings of the head without labels that were tried on tuning patients; each changes the default in one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from SUREUncertaintyLib.fitting.settings import SUPERVISION

SHORT: dict[str, Any] = {"steps": 300}
"""Of most of them, so that many can be tried; ``600 steps`` is the default."""

TRIED: dict[str, dict[str, Any]] = {
    "300 steps": SHORT,
    "600 steps": {},
    "steeper edges": SHORT | {"supervision": replace(SUPERVISION, beta=4.0, margin_gradient=1.0)},
    "edges for distance": SHORT | {"supervision": replace(SUPERVISION, beta=4.0, margin_gradient=1.0, c_d=1.0)},
    "no anchor": SHORT | {"supervision": replace(SUPERVISION, anchor=0.0)},
    "mistakes half": SHORT | {"supervision": replace(SUPERVISION, c_mistake=4.0)},
    "mistakes twice": SHORT | {"supervision": replace(SUPERVISION, c_mistake=16.0)},
    "scan twice": SHORT | {"supervision": replace(SUPERVISION, c_scan=10.0)},
    "half the learning rate": SHORT | {"learning_rate": 0.002},
}
