"""Settings of the head without labels that were tried on tuning patients, seed by seed; the default is an arm.

What the results have as ``first settings`` was tried with a head that did not see the network's answer, each one change
from a default of 300 steps of 0.004 on pieces of 40 voxels, without ``order``. For the network with a teacher, the
``order`` of the teacher and of small neighbourhoods were tried; neither was kept in the code.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from SUREUncertaintyLib.fitting.settings import SUPERVISION

TRIED: dict[str, dict[str, Any]] = {
    "no order, seed 0": {"order": 0.0, "seed": 0},
    "no order, seed 1": {"order": 0.0, "seed": 1},
    "order twice, mistakes half, seed 1": {
        "order": 8.0, "seed": 1, "supervision": replace(SUPERVISION, c_mistake=4.0),
    },
}  # fmt: skip
