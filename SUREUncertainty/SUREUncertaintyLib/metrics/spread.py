"""Many cases on processes or a cluster, on top of what an earlier run has finished."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

from ..core.errors import Cancelled
from ..core.progress import IsCancelled
from ..core.progress import Progress
from ..core.progress import never
from ..core.progress import silent
from ..core.tasks import run_tasks

Result = TypeVar("Result")
STOPPED = "The run was cancelled. What is finished is kept; the same command goes on from there."


def run_remaining(
    function: Callable[[Any], Result],
    jobs: Sequence[Any],
    names: Sequence[str],
    known: Mapping[int, Result],
    keep: Callable[[int, Result], None],
    lost: Callable[[int, str], Result],
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> tuple[Result, ...]:
    """The result of every job, in the order of ``jobs``.

    Args:
        function: of one job, at the top level of a module; jobs hold paths and parameters, never voxels.
        names: what the progress calls each job.
        known: results of an earlier run by the job's number; those jobs are not run again.
        keep: called with every new result as soon as it is there, to store it.
        lost: the result in the place of a job that was given up, from its number and why.
        workers, scheduler: see ``core.tasks.run_tasks``.

    Raises:
        InputError: nothing answers at the scheduler's address. Cancelled: what is finished was kept.
    """
    results = dict(known)
    todo = [number for number in range(len(jobs)) if number not in results]
    try:
        for outcome in run_tasks(function, [jobs[n] for n in todo], workers, scheduler, is_cancelled):
            number = todo[outcome.index]
            if outcome.error:
                results[number] = lost(number, outcome.error)
            else:
                results[number] = outcome.value
                keep(number, outcome.value)
            progress(len(results) / len(jobs), f"{len(results)} of {len(jobs)}: {names[number]}")
    except Cancelled:
        raise Cancelled(STOPPED) from None
    return tuple(results[number] for number in range(len(jobs)))
