"""An evaluation on a Dask cluster: paths, parameters and result rows travel, never voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import SureError
from ..core.progress import IsCancelled
from ..core.progress import Progress
from ..inference.estimation.model_options import ModelOptions
from ..inference.estimation.model_options import open_model
from .case_evaluation import EvaluationOptions
from .case_evaluation import attempt_case
from .case_result import CaseResult
from .cases import Case
from .predictor import NativePredictor
from .progress_file import ProgressFile
from .spread import run_remaining


@dataclass(frozen=True)
class Cluster:
    """Address of a Dask scheduler (``tcp://`` or ``tls://``), and the model that every worker opens by itself."""

    scheduler: str
    model: ModelOptions


@dataclass(frozen=True)
class EvaluationJob:
    """One case to evaluate, as it travels."""

    case: Case
    model: ModelOptions
    options: EvaluationOptions


def run_evaluation_job(job: EvaluationJob) -> CaseResult:
    """Evaluate one case; one that cannot be evaluated comes back with its sentence."""
    case = job.case
    try:
        opened = open_model(job.model)
        return attempt_case(case, NativePredictor(opened.package, opened.engine), job.options)
    except SureError as error:
        return CaseResult(case.id, case.group, case.split, error=str(error))


def evaluate_on_cluster(
    cases: Sequence[Case],
    options: EvaluationOptions,
    finished: ProgressFile[CaseResult],
    cluster: Cluster,
    progress: Progress,
    is_cancelled: IsCancelled,
) -> tuple[CaseResult, ...]:
    """One result a case, from the progress file where it is there."""
    earlier = finished.start()
    keys = [finished.key(case) for case in cases]
    known = {number: earlier[key] for number, key in enumerate(keys) if key in earlier}
    jobs = [EvaluationJob(case, cluster.model, options) for case in cases]

    def keep(number: int, result: CaseResult) -> None:
        if not result.error:
            finished.append(keys[number], result)

    def lost(number: int, why: str) -> CaseResult:
        case = cases[number]
        return CaseResult(case.id, case.group, case.split, error=f"The case {case.id} was given up: {why}.")

    names = [case.id for case in cases]
    where = (None, cluster.scheduler)
    return run_remaining(run_evaluation_job, jobs, names, known, keep, lost, *where, progress, is_cancelled)
