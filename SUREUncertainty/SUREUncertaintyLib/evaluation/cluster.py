"""An evaluation on a Dask cluster: paths, parameters and result rows travel, never voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import SureError
from ..core.progress import IsCancelled, Progress
from ..inference.estimation.model_options import ModelOptions
from .case_evaluation import EvaluationOptions, attempt_case
from .case_jobs import Cluster, Work, run_remaining
from .case_result import CaseResult
from .cases import Case
from .predictor import NativePredictor
from .progress_file import FinishedCases, ProgressFile


@dataclass(frozen=True)
class EvaluationJob:
    """One case to evaluate, as it travels."""

    case: Case
    model: ModelOptions
    options: EvaluationOptions


def run_evaluation_job(job: EvaluationJob) -> CaseResult:
    """Evaluate one case; one that cannot be evaluated comes back with its sentence."""
    try:
        return attempt_case(job.case, NativePredictor.open(job.model), job.options)
    except SureError as error:
        return CaseResult.failed(job.case, str(error))


def evaluate_on_cluster(
    cases: Sequence[Case],
    options: EvaluationOptions,
    finished: ProgressFile[CaseResult],
    cluster: Cluster,
    progress: Progress,
    is_cancelled: IsCancelled,
) -> tuple[CaseResult, ...]:
    """One result a case, from the progress file where it is there."""
    jobs = [EvaluationJob(case, cluster.model, options) for case in cases]
    kept = FinishedCases(finished, [finished.key(case) for case in cases])
    work = Work(run_evaluation_job, jobs, lambda job, why: CaseResult.failed(job.case, why), kept)
    return run_remaining(work, None, cluster.scheduler, progress, is_cancelled)
