"""What the tables of a cohort say about one case."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..analysis.verdict import CHECK, DO_NOT_USE, USABLE
from ..core.dataclass_json import from_json, to_json
from ..evaluation.cases import Case

FAILED = "failed"
ORDER = (FAILED, DO_NOT_USE, CHECK, USABLE)
"""From what needs a person most to what needs one least."""


@dataclass(frozen=True)
class CaseRow:
    """One case of the worklist.

    Attributes:
        folder: name of its result folder; empty for a failed case.
        status: a verdict, or ``"failed"``; reasons: of it.
        predicted_dice, predicted_dice_low, predicted_dice_high, predicted_dice_at_least: of the worst region as a
            whole; NaN without a forecast, with the reason in ``no_forecast``.
        mean_entropy: of the worst region. regions: uncertain regions that were found.
        place: RAS mm of the most uncertain region, empty without one.
        dice: mean Dice with the reference label, where the list has one. scores: by structure.
        voxels: fingerprint of the scan's voxels, to find one scan under two names.
        seconds: of the run. structures: rows as in ``report.json``.
        error: the sentence of a failed case.
    """

    id: str
    group: str
    image: str
    folder: str
    status: str
    reasons: tuple[str, ...] = ()
    predicted_dice: float = math.nan
    predicted_dice_low: float = math.nan
    predicted_dice_high: float = math.nan
    predicted_dice_at_least: float = math.nan
    no_forecast: str = ""
    mean_entropy: float = math.nan
    regions: int = 0
    place: tuple[float, ...] = ()
    dice: float = math.nan
    scores: dict[str, float] = field(default_factory=dict)
    voxels: str = ""
    seconds: float = math.nan
    structures: tuple[dict[str, Any], ...] = ()
    error: str = ""

    @property
    def need(self) -> tuple[int, float, float]:
        """What the worklist is sorted by, least first: the verdict, what is reached in 9 of 10, then indecision.

        Without a forecast a case stands before those of its verdict that have one: nothing is known about it.
        """
        known = math.isfinite(self.predicted_dice_at_least)
        indecision = self.mean_entropy if math.isfinite(self.mean_entropy) else 0.0
        return ORDER.index(self.status), self.predicted_dice_at_least if known else -1.0, -indecision

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        document: dict[str, Any] = to_json(self)
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CaseRow:
        """The inverse of ``to_json``."""
        return from_json(cls, document)

    @classmethod
    def failed(cls, case: Case, sentence: str) -> CaseRow:
        """What stands in the place of a case that could not be segmented."""
        return cls(case.id, case.group, str(case.image), "", FAILED, (sentence,), error=sentence)


def case_row(case: Case, folder: str, document: Mapping[str, Any], scores: Mapping[str, float]) -> CaseRow:
    """The row of a finished case, from its ``report.json`` and the Dice with its label, where it has one."""
    told = [one for one in document["quality"] if not one["reason"]]
    silent = [one["reason"] for one in document["quality"] if one["reason"]]
    worst = min(told, key=lambda one: one["dice"]["at_least"])["dice"] if told and not silent else {}
    entropies = [
        row["mean_entropy"]
        for region in document["measures"]
        for row in region["structures"].values()
        if row["mean_entropy"] is not None
    ]
    regions = document["regions"]
    return CaseRow(
        id=case.id,
        group=case.group,
        image=str(case.image),
        folder=folder,
        status=document["status"],
        reasons=tuple(document["status_reasons"]),
        predicted_dice=worst.get("value", math.nan),
        predicted_dice_low=worst.get("low", math.nan),
        predicted_dice_high=worst.get("high", math.nan),
        predicted_dice_at_least=worst.get("at_least", math.nan),
        no_forecast="; ".join(dict.fromkeys(silent)),
        mean_entropy=max(entropies, default=math.nan),
        regions=len(regions),
        place=tuple(regions[0]["centre_ras"]) if regions else (),
        dice=_mean(scores),
        scores=dict(scores),
        voxels=document["voxel_fingerprint"],
        seconds=float(document.get("timings_s", {}).get("total", math.nan)),
        structures=tuple(document["structures"]),
    )


def _mean(scores: Mapping[str, float]) -> float:
    known = [value for value in scores.values() if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
