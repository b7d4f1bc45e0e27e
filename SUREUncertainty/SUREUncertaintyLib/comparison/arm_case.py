"""Everything that one arm says about one held-out case: clean, under noise, and under every corruption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.progress import IsCancelled, never
from ..evaluation.case_evaluation import EvaluationOptions, attempt_case
from ..evaluation.case_result import CaseResult
from ..evaluation.cases import Case
from ..files.reading import read_volume
from ..metrics.relations import NOISE_LEVELS
from ..robustness.attempt import attempt_series
from ..robustness.finished_cases import Store
from ..robustness.results import SeriesResult
from ..robustness.series import OpenCase, SeriesOptions
from .foreign_scans import uncertainty_of_scan
from .predictor import KEPT, RememberingPredictor


@dataclass(frozen=True)
class ArmCase:
    """``uncertainty``: of the clean scan as a whole, see ``foreign_scans.uncertainty_of_scan``."""

    result: CaseResult
    series: tuple[SeriesResult, ...] = ()
    uncertainty: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "result": self.result.to_json(),
            "series": [entry.to_json() for entry in self.series],
            "uncertainty": self.uncertainty,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ArmCase:
        """The inverse of ``to_json``."""
        series = tuple(SeriesResult.from_json(entry) for entry in document["series"])
        return cls(CaseResult.from_json(document["result"]), series, dict(document["uncertainty"]))


@dataclass(frozen=True)
class Plan:
    """What is run of a case: the corruptions beside Gaussian noise, their strengths, and the seed of all draws."""

    corruptions: tuple[str, ...]
    levels: tuple[float, ...]
    seed: int


def measure_case(
    case: Case, predictor: RememberingPredictor, plan: Plan, store: Store, is_cancelled: IsCancelled = never
) -> ArmCase:
    """Every number of one case; what cannot be run is recorded as a sentence in its place."""
    predictor.forget()
    result = attempt_case(case, predictor, EvaluationOptions(plan.seed), is_cancelled=is_cancelled)
    if result.error:
        return ArmCase(result)
    clean = predictor.predict(read_volume(case.image), is_cancelled=is_cancelled)
    opened = OpenCase(case, predictor, store, is_cancelled)
    noise = SeriesOptions(NOISE_LEVELS, seed=plan.seed)
    series = [attempt_series(opened, KEPT, noise)]
    options = SeriesOptions(plan.levels, seed=plan.seed)
    series += [attempt_series(opened, name, options) for name in plan.corruptions if name != KEPT]
    return ArmCase(result, tuple(series), uncertainty_of_scan(clean.labels, clean.uncertainty))
