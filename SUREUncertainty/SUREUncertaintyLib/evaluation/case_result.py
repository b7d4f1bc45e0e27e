"""The numbers of one case, and why some are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.plain_json import plain
from .cases import Case

MEAN = "mean"

STRUCTURE_METRICS = ("dice", "iou", "hd95_mm", "assd_mm", "ece", "brier", "auroc_error", "aupr_error", "aurc")
RELATION_METRICS = (
    "ucc_gradient",
    "ur_gradient",
    "ur_star_gradient",
    "ucc_distance",
    "ur_distance",
    "ur_star_distance",
    "ur_sigma",
    "ur_star_sigma",
    "tau_sigma",
    "far_uncertainty",
)
VOLUME_METRICS = ("volume_error_ml", "range_coverage")
"""Distance of the volume from the label's, and 1 where the volume range holds the label's volume, 0 where not."""
PER_STRUCTURE = (*STRUCTURE_METRICS, *VOLUME_METRICS)
METRICS = (*PER_STRUCTURE, "ueo", *RELATION_METRICS)
"""Per structure and as a mean over structures; ``ueo`` and the relation metrics as a mean only."""

MIXED = "undefined for every structure, for different reasons"


@dataclass
class Scores:
    """Values by metric and structure, collected while a case is measured; what is NaN carries its reason."""

    values: dict[str, dict[str, float]] = field(default_factory=dict)
    undefined: dict[str, dict[str, str]] = field(default_factory=dict)

    def put(self, metric: str, structure: str, value: float, reason: str | None = None) -> None:
        """Keep a value; a NaN is kept with ``reason``."""
        self.values.setdefault(metric, {})[structure] = float(value)
        if np.isnan(value):
            self.undefined.setdefault(metric, {})[structure] = reason or "undefined"

    def put_mean(self, metric: str, structures: Sequence[str]) -> None:
        """Add the mean over the structures for which the metric is defined."""
        values = [self.values[metric][name] for name in structures]
        defined = [value for value in values if not np.isnan(value)]
        reasons = {self.undefined.get(metric, {}).get(name, "") for name in structures}
        reason = reasons.pop() if len(reasons) == 1 else MIXED
        self.put(metric, MEAN, float(np.mean(defined)) if defined else float("nan"), reason)


@dataclass(frozen=True)
class CaseResult:
    """What one case gave.

    Attributes:
        values: ``values[metric][structure or "mean"]``, NaN where undefined.
        undefined: the reason of every NaN, in the same form.
        boundary: ``"label"`` or ``"prediction"``: where distances and the boundary come from; empty if there is none.
        far_by_level: mean uncertainty far from every boundary at each noise level, 0 for the clean scan.
        details: what else was measured, ready for JSON.
        error: the sentence of a case that failed; everything else is then empty.
    """

    id: str
    group: str
    split: str = ""
    values: dict[str, dict[str, float]] = field(default_factory=dict)
    undefined: dict[str, dict[str, str]] = field(default_factory=dict)
    boundary: str = ""
    far_by_level: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @classmethod
    def failed(cls, case: Case, sentence: str) -> CaseResult:
        """What stands in the place of a case that could not be evaluated."""
        return cls(case.id, case.group, case.split, error=sentence)

    def value(self, metric: str, structure: str) -> float:
        """One number, NaN where there is none."""
        return self.values.get(metric, {}).get(structure, float("nan"))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; NaN becomes null."""
        return plain(vars(self))

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> CaseResult:
        """The inverse of ``to_json``."""
        values = {metric: _numbers(entry) for metric, entry in document["values"].items()}
        return cls(**{**document, "values": values, "far_by_level": _numbers(document["far_by_level"])})


def _numbers(entry: dict[str, float | None]) -> dict[str, float]:
    return {name: float("nan") if value is None else float(value) for name, value in entry.items()}
