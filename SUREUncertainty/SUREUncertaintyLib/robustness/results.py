"""The numbers of a robustness series, ready for JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.plain_json import plain
from ..evaluation.case_result import MEAN, STRUCTURE_METRICS
from ..evaluation.cases import Case

BREAKS_BELOW = 0.9
"""Agreement with the clean result (mean Dice over structures) below which a segmentation counts as broken."""

AGREEMENT = ("agreement_dice", "agreement_hd95_mm")
UNCERTAINTY = ("near_uncertainty", "far_uncertainty")
LABEL = (*STRUCTURE_METRICS, "ueo")
LEVEL_METRICS = (*AGREEMENT, *UNCERTAINTY, *LABEL)
"""Of every level: against the clean result, uncertainty near and far from the boundary, and the label if given."""

RELATION = ("ur_sigma", "ur_star_sigma", "tau_sigma")
"""Of a whole series."""

Values = dict[str, dict[str, float]]
Reasons = dict[str, dict[str, str]]


@dataclass(frozen=True)
class LevelResult:
    """One strength.

    Attributes:
        physical: what the strength means, see ``corruptions.strengths``.
        values: ``values[metric][structure or "mean"]``, NaN where undefined; ``undefined`` holds the reasons.
    """

    level: float
    physical: dict[str, float] = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    undefined: Reasons = field(default_factory=dict)

    def value(self, metric: str, structure: str = MEAN) -> float:
        """One number, NaN where there is none."""
        return self.values.get(metric, {}).get(structure, float("nan"))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> LevelResult:
        """The inverse of ``case_result.plain(vars(level))``."""
        return cls(**{**document, "values": {name: _numbers(row) for name, row in document["values"].items()}})


@dataclass(frozen=True)
class SeriesResult:
    """One corruption of one case at rising strength.

    Attributes:
        id, group, split: of the case.
        clean: the result without damage, level 0.
        levels: the levels that were asked for, rising; with level 0 only where it was.
        relation: ``RELATION`` over ``levels``; reasons of NaN in ``undefined``.
        boundary: ``"label"`` or ``"prediction"``, where near and far come from; empty if there is no boundary.
        recipe: what was drawn for this case, as ``Recipe.to_json`` of the strongest level.
        skipped: why this corruption makes no sense for this scan; error: the sentence of a series that failed.
    """

    id: str
    group: str
    corruption: str
    split: str = ""
    clean: LevelResult | None = None
    levels: tuple[LevelResult, ...] = ()
    relation: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    boundary: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    skipped: str = ""
    error: str = ""

    @classmethod
    def failed(cls, case: Case, corruption: str, sentence: str) -> SeriesResult:
        """What stands in the place of a series that could not be run."""
        return cls(case.id, case.group, corruption, case.split, error=sentence)

    @property
    def rows(self) -> tuple[LevelResult, ...]:
        """The clean result, then every level above 0."""
        if self.clean is None:
            return ()
        return (self.clean, *(row for row in self.levels if row.level > 0.0))

    @property
    def breaks_at(self) -> float | None:
        """The lowest level whose agreement with the clean result is below 0.9; None when it never is."""
        return next((row.level for row in self.rows if row.value(AGREEMENT[0]) < BREAKS_BELOW), None)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; NaN becomes null."""
        levels = [vars(row) for row in self.levels]
        clean = None if self.clean is None else vars(self.clean)
        return dict(plain({**vars(self), "clean": clean, "levels": levels, "breaks_at": self.breaks_at}))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> SeriesResult:
        """The inverse of ``to_json``."""
        fields = {name: value for name, value in document.items() if name != "breaks_at"}
        clean = None if document["clean"] is None else LevelResult.from_json(document["clean"])
        levels = tuple(LevelResult.from_json(row) for row in document["levels"])
        return cls(**{**fields, "clean": clean, "levels": levels, "relation": _numbers(document["relation"])})


def _numbers(entry: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float("nan") if value is None else float(value) for name, value in entry.items()}
