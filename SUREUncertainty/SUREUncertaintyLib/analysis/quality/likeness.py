"""Whether a scan and its result look like those that a forecast was fitted on; elsewhere it must be silent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..intensity_fingerprint import DESCRIPTIONS
from .run_measures import MEASURES, RunMeasures

SLACK, GREY_SLACK = 0.25, 0.5
"""Share of a range by which a value may lie outside of it; grey values differ more between scanners than results do."""
GREY = ("skewness", "kurtosis", "middle")
WORDS = {name: DESCRIPTIONS[name] for name in GREY} | {
    "boundary_uncertainty": "uncertainty at the boundary",
    "interior_uncertainty": "uncertainty inside",
    "boundary_entropy": "indecision at the boundary",
    "interior_entropy": "indecision inside",
    "uncertain_share": "share of uncertain voxels",
    "range_below": "volume range",
    "range_above": "volume range",
    "overlap_expected": "probabilities",
    "small_pieces": "separate pieces",
    "cut_by_edge": "a structure at the edge",
    "islands": "uncertain islands",
    "mean_entropy": "indecision everywhere",
    "difficulty": "difficulty",
    "unlike_noisy": "answer to a noisy copy",
    "unlike_blurred": "answer to a blurred copy",
    "copies_unlike": "answers to disturbed copies",
}
VOLUME = "log_volume "
"""Begins the name of a structure's entry; natural logarithm of ml."""


def describe(run: RunMeasures) -> dict[str, float]:
    """What is compared with the fitted ranges: grey values, the measures of all structures together, and volumes."""
    grey = {name: run.grey[name] for name in GREY if name in run.grey}
    volumes = {VOLUME + name: math.log(volume) for name, volume in run.volumes_ml.items()}
    return grey | {name: value for name, value in (run.whole or {}).items() if math.isfinite(value)} | volumes


def fit_ranges(described: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """The range of every entry that all have, with its slack; measures are open below: nothing can be too good."""
    names = [name for name in described[0] if all(name in one for one in described)]
    found = {}
    for name in names:
        low, high = (bound(one[name] for one in described) for bound in (min, max))
        slack = (GREY_SLACK if name in GREY else SLACK) * (high - low)
        found[name] = (-math.inf if name in MEASURES else low - slack, high + slack)
    return found


def unlike(described: Mapping[str, float], ranges: Mapping[str, tuple[float, float]]) -> list[str]:
    """In words, what lies outside of the ranges; empty for a scan like those that were fitted on."""
    outside = [name for name, (low, high) in ranges.items() if not low <= described.get(name, math.inf) <= high]
    return list(dict.fromkeys(_words(name) for name in outside))


def _words(name: str) -> str:
    return WORDS.get(name) or f"volume of {name.removeprefix(VOLUME)}"
