"""Scans whose grey values are unlike those of the others in a folder: of another kind, and no use to fit on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..analysis.intensity_fingerprint import DESCRIPTIONS

FAR = 5.0
"""Times the spread of the scans (1.48 x median absolute deviation)."""
AT_LEAST = 2
"""Measures that have to lie so far away. In draws of 30 hippocampi on T1, one in a hundred was left out by this, and
every T2 and five of six FLAIR scans that were put among them; with a single measure it were two in thirty."""
LEAST_SPREAD = 0.05
"""Of a measure, as a share of its larger values: scans that are copies of one another differ by nothing."""


def unlike_the_others(measures: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    """Names of scans that lie far from the middle of all in two measures or more, with a sentence.

    Args:
        measures: of ``analysis.intensity_fingerprint`` by the scan's name.
    """
    far: dict[str, list[str]] = {name: [] for name in measures}
    for measure, words in DESCRIPTIONS.items():
        values = np.array([found[measure] for found in measures.values()])
        if not values.size:
            continue
        middle = float(np.median(values))
        spread = 1.4826 * float(np.median(np.abs(values - middle)))
        reach = FAR * max(spread, LEAST_SPREAD * float(np.quantile(np.abs(values), 0.9)))
        for name, value in zip(measures, values, strict=True):
            if abs(value - middle) > reach > 0.0:
                far[name].append(words)
    return {
        name: f"its grey values are unlike those of the other scans ({', '.join(found)})"
        for name, found in far.items()
        if len(found) >= AT_LEAST
    }
