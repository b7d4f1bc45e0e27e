"""A robustness test on a Dask cluster: paths, parameters and finished series travel, never voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..core.errors import SureError
from ..core.progress import IsCancelled, Progress, never
from ..evaluation.case_jobs import Cluster, Work, run_remaining
from ..evaluation.cases import Case
from ..evaluation.predictor import NativePredictor
from ..evaluation.progress_file import ProgressFile
from ..inference.estimation.model_options import ModelOptions
from .attempt import attempt_series
from .finished_cases import Store
from .results import SeriesResult
from .series import OpenCase, SeriesOptions


@dataclass(frozen=True)
class SeriesJob:
    """One corruption of one case, as it travels."""

    case: Case
    corruption: str
    model: ModelOptions
    options: SeriesOptions

    @property
    def key(self) -> tuple[str, dict[str, Any]]:
        """Names the job in the store."""
        return ProgressFile.key(self.case), {**asdict(self.options), "corruption": self.corruption}

    def failed(self, sentence: str) -> SeriesResult:
        """What stands in the place of a series that could not be run."""
        return SeriesResult.failed(self.case, self.corruption, sentence)


@dataclass(frozen=True)
class KeptSeries:
    """Finished series in a store, for ``evaluation.case_jobs``."""

    store: Store
    jobs: Sequence[SeriesJob]

    def load(self) -> dict[int, SeriesResult]:
        """Series of an earlier run, by the number of their job."""
        found = {number: self.store.load_series(*job.key) for number, job in enumerate(self.jobs)}
        return {number: result for number, result in found.items() if result is not None}

    def save(self, number: int, result: SeriesResult) -> None:
        """Keep a series unless it failed or makes no sense."""
        if result.clean is not None:
            self.store.save_series(*self.jobs[number].key, result, ())


def run_series_job(job: SeriesJob) -> SeriesResult:
    """Run one series; one that cannot be run comes back with its sentence. Levels stay on the worker."""
    try:
        predictor = NativePredictor.open(job.model)
        with TemporaryDirectory() as folder:
            work = OpenCase(job.case, predictor, Store(Path(folder) / "series", {}), never)
            return attempt_series(work, job.corruption, job.options)
    except SureError as error:
        return job.failed(str(error))


def run_on_cluster(
    cases: Sequence[Case],
    corruptions: Sequence[str],
    options: SeriesOptions,
    store: Store,
    cluster: Cluster,
    progress: Progress,
    is_cancelled: IsCancelled,
) -> tuple[SeriesResult, ...]:
    """One series a case and corruption, from the store where it is there."""
    jobs = [SeriesJob(case, name, cluster.model, options) for case in cases for name in corruptions]
    kept, name = KeptSeries(store, jobs), lambda job: f"{job.case.id}: {job.corruption}"
    return run_remaining(
        Work(run_series_job, jobs, SeriesJob.failed, kept, name), None, cluster.scheduler, progress, is_cancelled
    )
