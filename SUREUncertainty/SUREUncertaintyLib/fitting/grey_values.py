"""Scans whose grey values are unlike those of the others in a folder: of another kind, and no use to fit on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..analysis.intensity_fingerprint import DESCRIPTIONS

FAR = 6.0
"""Times the spread of the other scans (1.48 x median absolute deviation)."""
LEAST_SPREAD = 0.05
"""Of a measure, as a share of its largest value: scans that are copies of one another differ by nothing."""


def unlike_the_others(measures: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    """Names of scans that lie far from the middle of all others in any measure, with a sentence.

    Args:
        measures: of ``analysis.intensity_fingerprint`` by the scan's name.
    """
    found: dict[str, str] = {}
    names = list(measures)
    for measure, words in DESCRIPTIONS.items():
        values = np.array([measures[name][measure] for name in names])
        middle = float(np.median(values)) if names else 0.0
        spread = 1.4826 * float(np.median(np.abs(values - middle))) if names else 0.0
        reach = FAR * max(spread, LEAST_SPREAD * float(np.abs(values).max(initial=0.0)))
        for name, value in zip(names, values, strict=True):
            if abs(value - middle) > reach > 0.0:
                found.setdefault(name, f"its grey values are unlike those of the other scans ({words})")
    return found
