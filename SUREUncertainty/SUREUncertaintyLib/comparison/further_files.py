"""The same held-out subjects in other files, for instance whole scans in the place of boxes; clean metrics only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.progress import IsCancelled, never
from ..evaluation.case_evaluation import EvaluationOptions, attempt_case
from ..evaluation.case_result import METRICS
from ..training.recipe import parse_recipe
from .held_out import held_out_cases
from .predictor import RememberingPredictor
from .study import Further, Study, merged


def measure_further(
    study: Study,
    kind: Further,
    recipe: Mapping[str, Any],
    data: Path,
    predictor: RememberingPredictor,
    is_cancelled: IsCancelled = never,
) -> dict[str, dict[str, Any]]:
    """``group`` and mean metrics by case, or ``error``; only files that exist, since few subjects may have them."""
    section = merged(recipe, {"data": kind.data})
    cases = [case for case in held_out_cases(parse_recipe(section), data, study.split) if case.image.is_file()]
    rows: dict[str, dict[str, Any]] = {}
    for case in cases:
        predictor.forget()
        result = attempt_case(case, predictor, EvaluationOptions(study.seed, ()), is_cancelled=is_cancelled)
        values = {metric: result.value(metric, "mean") for metric in METRICS}
        rows[case.id] = {"group": case.group, **({"error": result.error} if result.error else values)}
    return rows
