"""The validity gate: does an extractor's AUV mean anything on this data set? Nothing is filtered before it was asked.

Four questions: does AUV find scans that were damaged on purpose, is it only the size of the structure, does S agree
with Dice on scans that the network was not trained on, and does filtering beat dropping as many patients at random
(``patient_filter.random_drop``; needs trainings). A direction that comes out inverted is reported, never flipped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..analysis.auv import auv_values
from ..core.plain_json import plain
from ..metrics.correlation import auroc

Status = Literal["valid", "inverted", "uninformative"]
DAMAGED_SHARE = 0.2
RESAMPLES = 2000
CHANCE = 0.5
FEW_PATIENTS = 8


@dataclass(frozen=True)
class DamageTest:
    """Whether AUV finds scans with one kind of damage.

    Attributes:
        kind: the corruption, for instance ``"blur"``; ``of_labels`` when the reference was damaged, not the image.
        damaged, scans: how many of how many.
        auroc: of AUV for "damaged"; ``low`` and ``high`` bound it at 95 % (bootstrap over patients).
    """

    kind: str
    of_labels: bool
    damaged: int
    scans: int
    auroc: float
    low: float
    high: float

    @property
    def was_run(self) -> bool:
        """Whether there were damaged and intact scans to tell apart."""
        return 0 < self.damaged < self.scans

    @property
    def status(self) -> Status:
        """``valid`` above chance, ``inverted`` below it, ``uninformative`` where the interval holds 0.5."""
        if self.low > CHANCE:
            return "valid"
        return "inverted" if self.high < CHANCE else "uninformative"


@dataclass(frozen=True)
class Gate:
    """The answers for one extractor on one data set.

    Attributes:
        volume_correlation: Spearman's rho of AUV and log volume; strongly negative: AUV is mostly small size.
        error_given_volume: partial Spearman's rho of AUV and 1 - Dice at equal log volume.
        dice_correlation: Spearman's rho of S and Dice on scans that were not trained on; ``dice_scans`` of them.
    """

    damage: tuple[DamageTest, ...] = ()
    volume_correlation: float = float("nan")
    error_given_volume: float = float("nan")
    dice_correlation: float = float("nan")
    dice_scans: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def status(self) -> Status:
        """The worst that any kind of damage says: one inverted kind makes the extractor inverted."""
        found = {test.status for test in self.damage}
        if "inverted" in found:
            return "inverted"
        return "valid" if "valid" in found else "uninformative"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; NaN becomes None."""
        tests = [{**asdict(test), "status": test.status} for test in self.damage]
        numbers = plain({name: value for name, value in asdict(self).items() if name not in ("damage", "notes")})
        tests = plain(tests)
        return {"status": self.status, "damage": tests, **numbers, "notes": list(self.notes), "verdict": verdict(self)}


def verdict(gate: Gate) -> list[str]:
    """The gate in words, one sentence a finding."""
    words = [_overall(gate), *(_damage_words(test) for test in gate.damage)]
    words += _size_words(gate)
    if math.isfinite(gate.dice_correlation):
        words.append(
            f"On {gate.dice_scans} scans that it was not trained on, perception scale and Dice correlate with "
            f"{gate.dice_correlation:+.2f} (Spearman)."
        )
    return [*words, *gate.notes]


def damage_test(
    kind: str,
    intact: Mapping[str, float],
    damaged: Mapping[str, float],
    groups: Mapping[str, str],
    of_labels: bool = False,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> DamageTest:
    """AUROC of AUV for "damaged" in the cohort in which the damaged scans replace their intact selves.

    Args:
        intact: S by scan id, of the whole cohort. damaged: S of the scans that were damaged.
        groups: patient by scan id; the bootstrap draws patients, damaged and intact ones apart.
    """
    ids = [name for name in intact if math.isfinite(damaged.get(name, intact[name]))]
    values = auv_values([damaged.get(name, intact[name]) for name in ids])
    positive = np.array([name in damaged for name in ids], dtype=bool)
    patients = np.array([groups[name] for name in ids], dtype=object)
    low, high = _interval(values, positive, patients, seed, resamples)
    return DamageTest(kind, of_labels, int(positive.sum()), len(ids), auroc(values, positive), low, high)


def choose_damaged(groups: Mapping[str, str], share: float = DAMAGED_SHARE, seed: int = 0) -> tuple[str, ...]:
    """Ids of the scans to damage: all scans of a random ``share`` of the patients, at least one patient."""
    patients = sorted(set(groups.values()))
    count = min(max(1, round(share * len(patients))), max(1, len(patients) - 1))
    chosen = set(np.random.default_rng(seed).permutation(patients)[:count].tolist())
    return tuple(name for name, group in groups.items() if group in chosen)


def _interval(
    values: NDArray[np.float64], positive: NDArray[np.bool_], patients: NDArray[Any], seed: int, resamples: int
) -> tuple[float, float]:
    """95 % percentile interval over patients; the whole range where there are too few patients for one."""
    pools = [_members(patients, positive), _members(patients, ~positive)]
    if min(len(pool) for pool in pools) < 2:
        return 0.0, 1.0
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(resamples):
        picked = [pool[n] for pool in pools for n in rng.integers(0, len(pool), len(pool))]
        rows = np.concatenate(picked)
        draws.append(auroc(values[rows], positive[rows]))
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def _members(patients: NDArray[Any], chosen: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    rows = np.flatnonzero(chosen)
    return [rows[patients[rows] == patient] for patient in dict.fromkeys(patients[rows])]


def _overall(gate: Gate) -> str:
    if gate.damage and not any(test.was_run for test in gate.damage):
        return "Whether this network finds damaged scans could not be tested here: there are too few usable scans."
    return {
        "valid": "This network may be used for filtering here: it finds damaged scans better than chance.",
        "inverted": (
            "⚠ This network points the wrong way here: damaged scans look easier than intact ones. "
            "Filtering by it would keep the bad scans. The direction is reported as it is, not turned round."
        ),
        "uninformative": "This network says nothing about damage here: it finds damaged scans no better than chance.",
    }[gate.status]


def _damage_words(test: DamageTest) -> str:
    what = "labels" if test.of_labels else "image"
    if not test.was_run:
        return f"Damage of the {what} ({test.kind}): not tested, {test.damaged} of {test.scans} scans were damaged."
    found = {"valid": "found", "inverted": "inverted, ranked as easier", "uninformative": "not found"}[test.status]
    few = " Few patients: the interval is wide." if test.damaged < FEW_PATIENTS else ""
    return (
        f"Damage of the {what} ({test.kind}), {test.damaged} of {test.scans} scans: {found}, "
        f"AUROC {test.auroc:.2f} ({test.low:.2f} to {test.high:.2f}).{few}"
    )


def _size_words(gate: Gate) -> list[str]:
    words = []
    if math.isfinite(gate.volume_correlation):
        strong = " Filtering by it mostly drops small structures." if gate.volume_correlation < -CHANCE else ""
        words.append(f"Hardness and log volume correlate with {gate.volume_correlation:+.2f} (Spearman).{strong}")
    if math.isfinite(gate.error_given_volume):
        words.append(f"At equal volume, hardness and 1 - Dice correlate with {gate.error_given_volume:+.2f}.")
    return words
