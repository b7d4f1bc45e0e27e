"""Which patients to keep for training: the hardest share of a cohort is left out, whole patients at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..core.errors import InputError

Combine = Literal["scan", "single", "union", "intersection"]
COMBINATIONS = ("scan", "single", "union", "intersection")
SCAN = "mean"
"""The name under which tables hold a scan's own AUV beside those of its classes."""

ROUNDING = 1e-9


@dataclass(frozen=True)
class Scored:
    """One scan with its AUV by class name, ``"mean"`` for the scan itself; NaN where undefined."""

    id: str
    group: str
    auv: Mapping[str, float]


@dataclass(frozen=True)
class FilterOutcome:
    """The outcome of a filter.

    Attributes:
        keep, drop: ids in the list's order.
        thresholds: the largest AUV that is kept, by class name.
        patients: how many were judged; ``dropped_patients`` of them go.
        sentence: the outcome in words, for the report.
    """

    keep: tuple[str, ...]
    drop: tuple[str, ...]
    thresholds: dict[str, float]
    patients: int
    dropped_patients: int
    sentence: str


def kept_count(share: float, count: int) -> int:
    """ceil(share * count - 1e-9): 55 of 100 at 0.55, where plain rounding up gives 56."""
    return math.ceil(share * count - ROUNDING)


def keep_threshold(scores: Sequence[float], share: float) -> float:
    """The k-th smallest score, k = ``kept_count``; scores up to it are kept, ties with it too. NaN never counts."""
    defined = np.sort([score for score in scores if math.isfinite(score)])
    if not defined.size:
        return float("nan")
    return float(defined[max(kept_count(share, defined.size), 1) - 1])


def filter_patients(
    scans: Sequence[Scored], share: float, combine: Combine = "scan", target: str | None = None
) -> FilterOutcome:
    """Keep the easiest ``share`` of the patients.

    A patient's score is the largest AUV of its scans, so scans, slices and visits stay together. A patient without any
    defined score is kept: nothing is known against it.

    Args:
        combine: ``"scan"`` judges the scans' own AUV; ``"single"`` one class, ``target``; ``"union"`` keeps a patient
            that passes in any class; ``"intersection"`` one that passes in every class that it has.

    Raises:
        InputError: a share outside (0, 1], or a class that no scan has.
    """
    check_filter(share, combine)
    names = _names(scans, combine, target)
    patients = {name: _patient_scores(scans, name) for name in names}
    thresholds = {name: keep_threshold(list(scores.values()), share) for name, scores in patients.items()}
    everyone = list(dict.fromkeys(scan.group for scan in scans))
    passes = {group: _passes(group, patients, thresholds, combine) for group in everyone}
    keep = tuple(scan.id for scan in scans if passes[scan.group])
    drop = tuple(scan.id for scan in scans if not passes[scan.group])
    gone = sum(not good for good in passes.values())
    return FilterOutcome(
        keep, drop, thresholds, len(everyone), gone, _sentence(share, len(everyone), gone, len(drop), combine)
    )


def check_filter(share: float, combine: str) -> None:
    """Raise ``InputError`` for a share outside (0, 1] or an unknown way to combine classes."""
    if not 0.0 < share <= 1.0:
        raise InputError(f"The share of scans to keep must lie above 0 and at most at 1, not at {share:g}.")
    if combine not in COMBINATIONS:
        raise InputError(f"Unknown way to combine classes: '{combine}'. Choose one of: {', '.join(COMBINATIONS)}.")


def random_drop(scans: Sequence[Scored], dropped_patients: int, seed: int) -> tuple[str, ...]:
    """Ids that stay when as many patients as a filter drops are drawn at random: the control of that filter.

    Drawn within strata of equally many scans a patient, so that control and filter drop alike.
    """
    sizes: dict[str, int] = {}
    for scan in scans:
        sizes[scan.group] = sizes.get(scan.group, 0) + 1
    rng = np.random.default_rng(seed)
    ordered = sorted(sizes, key=lambda group: (sizes[group], group))
    blocks = np.array_split(np.array(ordered, dtype=object), max(dropped_patients, 1))
    gone = {str(rng.choice(block)) for block in blocks if len(block)} if dropped_patients else set()
    return tuple(scan.id for scan in scans if scan.group not in gone)


def _names(scans: Sequence[Scored], combine: Combine, target: str | None) -> list[str]:
    known = list(dict.fromkeys(name for scan in scans for name in scan.auv if name != SCAN))
    if combine == "scan":
        return [SCAN]
    if combine != "single":
        return known
    if target is None:
        raise InputError(f"One structure is to decide, but none is named. Name one of: {', '.join(known) or 'none'}.")
    if target not in known:
        raise InputError(f"No scan has the structure '{target}'. Choose one of: {', '.join(known) or 'none'}.")
    return [target]


def _patient_scores(scans: Sequence[Scored], name: str) -> dict[str, float]:
    """The largest defined score of each patient that has any."""
    scores: dict[str, float] = {}
    for scan in scans:
        score = scan.auv.get(name, float("nan"))
        if math.isfinite(score):
            scores[scan.group] = max(score, scores.get(scan.group, -math.inf))
    return scores


def _passes(
    group: str, patients: Mapping[str, Mapping[str, float]], thresholds: Mapping[str, float], combine: Combine
) -> bool:
    judged = [scores[group] <= thresholds[name] for name, scores in patients.items() if group in scores]
    if not judged:
        return True
    return any(judged) if combine == "union" else all(judged)


def _sentence(share: float, patients: int, gone: int, scans: int, combine: str) -> str:
    if gone:
        return f"{gone} of {patients} patients ({scans} scans) are left out at {share:.0%}."
    least = math.ceil((1.0 - ROUNDING) / (1.0 - share)) if share < 1.0 else 0
    advice = f" At this share the first patient is dropped from {least} patients on." if patients < least else ""
    tie = " Several patients share the highest value, or pass in another structure." if not advice else ""
    return f"Nothing is dropped: {share:.0%} of {patients} patients is all of them.{advice}{tie}"
