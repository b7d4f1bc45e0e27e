"""A robustness test on a Dask cluster: paths, parameters and finished series travel, never voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..core.errors import SureError
from ..core.progress import IsCancelled
from ..core.progress import Progress
from ..core.progress import never
from ..inference.estimation.model_options import ModelOptions
from ..inference.estimation.model_options import open_model
from ..metrics.cases import Case
from ..metrics.cluster import Cluster
from ..metrics.predictor import NativePredictor
from ..metrics.progress_file import ProgressFile
from ..metrics.spread import run_remaining
from .attempt import attempt_series
from .results import SeriesResult
from .series import OpenCase
from .series import SeriesOptions
from .store import Store


@dataclass(frozen=True)
class SeriesJob:
    """One corruption of one case, as it travels."""

    case: Case
    corruption: str
    model: ModelOptions
    options: SeriesOptions


def run_series_job(job: SeriesJob) -> SeriesResult:
    """Run one series; one that cannot be run comes back with its sentence. Levels stay on the worker."""
    case = job.case
    try:
        opened = open_model(job.model)
        with TemporaryDirectory() as folder:
            store = Store(Path(folder) / "series", {})
            work = OpenCase(case, NativePredictor(opened.package, opened.engine), store, never)
            return attempt_series(work, job.corruption, job.options)
    except SureError as error:
        return SeriesResult(case.id, case.group, job.corruption, case.split, error=str(error))


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
    keys = [(ProgressFile.key(job.case), {**asdict(options), "corruption": job.corruption}) for job in jobs]
    earlier = {number: store.load_series(*key) for number, key in enumerate(keys)}
    known = {number: result for number, result in earlier.items() if result is not None}

    def keep(number: int, result: SeriesResult) -> None:
        if result.clean is not None:
            store.save_series(*keys[number], result, ())

    def lost(number: int, why: str) -> SeriesResult:
        case, text = jobs[number].case, f"The case {jobs[number].case.id} was given up: {why}."
        return SeriesResult(case.id, case.group, jobs[number].corruption, case.split, error=text)

    names = [f"{job.case.id}: {job.corruption}" for job in jobs]
    where = (None, cluster.scheduler)
    return run_remaining(run_series_job, jobs, names, known, keep, lost, *where, progress, is_cancelled)
