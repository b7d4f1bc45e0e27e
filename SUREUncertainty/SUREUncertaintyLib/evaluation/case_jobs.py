"""Many cases on processes or a cluster, on top of what an earlier run has finished."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ..core.errors import Cancelled
from ..core.progress import IsCancelled, Progress, never, silent
from ..core.tasks import run_tasks
from ..inference.estimation.model_options import ModelOptions
from .cases import Case

STOPPED = "The run was cancelled. What is finished is kept; the same command goes on from there."


@dataclass(frozen=True)
class Cluster:
    """Address of a Dask scheduler (``tcp://`` or ``tls://``), and the model that every worker opens by itself."""

    scheduler: str
    model: ModelOptions


class CaseJob(Protocol):
    """What travels to a process or a machine: paths and parameters, never voxels."""

    @property
    def case(self) -> Case:
        """The case that the job is about."""
        ...


Job = TypeVar("Job", bound=CaseJob)
Result = TypeVar("Result")


class FinishedResults(Protocol[Result]):
    """Where results are kept as soon as they are there, so that a stopped run goes on."""

    def load(self) -> Mapping[int, Result]:
        """Results of an earlier run by the job's number; those jobs are not run again."""
        ...

    def save(self, number: int, result: Result) -> None:
        """Keep the result of a job, if it is one to keep."""
        ...


@dataclass(frozen=True)
class Work(Generic[Job, Result]):
    """What is to be done.

    Attributes:
        function: of one job, at the top level of a module.
        failed: the result in the place of a job that was given up, from the job and the sentence.
        kept: results of an earlier run, and the place for new ones.
        name: what the progress calls a job.
    """

    function: Callable[[Job], Result]
    jobs: Sequence[Job]
    failed: Callable[[Job, str], Result]
    kept: FinishedResults[Result]
    name: Callable[[Job], str] = lambda job: job.case.id


def run_remaining(
    work: Work[Job, Result],
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> tuple[Result, ...]:
    """The result of every job, in the order of ``work.jobs``.

    Args:
        workers, scheduler: see ``core.tasks.run_tasks``.

    Raises:
        InputError: nothing answers at the scheduler's address. Cancelled: what is finished was kept.
    """
    jobs, results = work.jobs, dict(work.kept.load())
    todo = [number for number in range(len(jobs)) if number not in results]
    try:
        for outcome in run_tasks(work.function, [jobs[n] for n in todo], workers, scheduler, is_cancelled):
            number = todo[outcome.index]
            job = jobs[number]
            if outcome.error:
                results[number] = work.failed(job, f"The case {job.case.id} was given up: {outcome.error}.")
            else:
                results[number] = outcome.value
                work.kept.save(number, outcome.value)
            progress(len(results) / len(jobs), f"{len(results)} of {len(jobs)}: {work.name(job)}")
    except Cancelled:
        raise Cancelled(STOPPED) from None
    return tuple(results[number] for number in range(len(jobs)))
