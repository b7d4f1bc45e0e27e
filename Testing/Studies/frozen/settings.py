"""Settings of the head without labels that were tried on tuning patients; each changes the default in one thing.

The default itself is the arm ``ours without``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from SUREUncertaintyLib.fitting.settings import SUPERVISION

TRIED: dict[str, dict[str, Any]] = {
    "steeper edges": {"supervision": replace(SUPERVISION, beta=4.0, margin_gradient=1.0)},
    "edges before distance": {"supervision": replace(SUPERVISION, beta=4.0, margin_gradient=1.0, c_d=1.0)},
    "no anchor": {"supervision": replace(SUPERVISION, anchor=0.0)},
    "mistakes half": {"supervision": replace(SUPERVISION, c_mistake=4.0)},
    "mistakes twice": {"supervision": replace(SUPERVISION, c_mistake=16.0)},
    "scan twice": {"supervision": replace(SUPERVISION, c_scan=10.0)},
    "half the learning rate": {"learning_rate": 0.002},
    "twice the steps": {"steps": 600},
}
