"""A cohort: every scan segmented, once, on all cores or a cluster, and the tables that say which to open first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.progress import IsCancelled, Progress, never, silent
from ..evaluation.case_jobs import Work, run_remaining
from ..inference.estimation.model_options import ModelOptions
from ..report.additions import Add
from .case_folder import CohortFolder, Lock, folder_names, unfinished, vanished
from .case_list import CohortList
from .case_row import FAILED, CaseRow
from .case_run import CohortJob, run_case
from .review_curve import ReviewCurve, review_curve
from .tables import write_tables
from .worklist_page import write_worklist

if TYPE_CHECKING:
    from ..packages.package import Package

SAME_VOXELS = "{ids} hold the same voxels: one scan under several names."
VANISHED = "{count} results belong to no scan of the list any more ({first}); they are kept, and left out here."


@dataclass(frozen=True)
class Cohort:
    """The outcome: rows sorted by need, sentences about the list, and what reviewing buys where labels exist."""

    rows: tuple[CaseRow, ...]
    told: tuple[str, ...]
    curve: ReviewCurve | None

    @property
    def n_failed(self) -> int:
        """Cases that could not be segmented."""
        return sum(row.status == FAILED for row in self.rows)


@dataclass(frozen=True)
class _Kept:
    """Finished cases lie in their folders; there is nothing else to keep."""

    rows: Mapping[int, CaseRow]

    def load(self) -> Mapping[int, CaseRow]:
        return self.rows

    def save(self, number: int, result: CaseRow) -> None:
        """The worker has written it."""


def run_cohort(
    listed: CohortList,
    package: Package,
    model: ModelOptions,
    output: Path,
    workers: int | None = None,
    scheduler: str | None = None,
    pictures: bool = True,
    additions: Sequence[Add] = (),
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Cohort:
    """Segment every case of a list into ``output/cases`` and write ``structures.csv``, ``worklist.csv`` and
    ``worklist.html`` beside them.

    The same call goes on after a stop of any kind: finished cases are taken as they are, failed ones tried again. With
    a ``scheduler`` its workers write into ``output`` themselves, so that they must reach it under the same path.

    Args:
        workers, scheduler: see ``core.tasks.run_tasks``.
        pictures: whether each report has pictures. additions: further writers a case.

    Raises:
        InputError: the folder holds results of another model, or nothing answers at the scheduler's address.
        OutputError: another command works in the folder, or it cannot be written. Cancelled: finished cases are kept.
    """
    folder = CohortFolder.at(output)
    with Lock(folder):
        folder.begin(_settings(package, model))
        folder.clear_halves()
        names = folder_names(listed.cases)
        records = folder.finished()
        jobs = [
            CohortJob(case, model, folder.cases / name, pictures, tuple(additions))
            for case, name in zip(listed.cases, names, strict=True)
        ]
        todo = set(unfinished(listed.cases, names, records))
        done = {n: CaseRow.from_json(records[name]["row"]) for n, name in enumerate(names) if n not in todo}
        work = Work(run_case, jobs, lambda job, why: CaseRow.failed(job.case, why), _Kept(done))
        rows = tuple(sorted(run_remaining(work, workers, scheduler, progress, is_cancelled), key=lambda row: row.need))
        folder.clear_halves()  # of workers that were killed
        cohort = Cohort(rows, (*listed.told, *_about(rows, vanished(names, records))), review_curve(rows))
        write_tables(cohort.rows, folder.path)
        write_worklist(cohort.rows, cohort.told, cohort.curve, package.metadata, folder.path)
    return cohort


def _settings(package: Package, model: ModelOptions) -> dict[str, Any]:
    """What every result of the folder was made with."""
    metadata = package.metadata
    return {
        "model": metadata.name,
        "version": metadata.version,
        "fingerprint": package.fingerprint,
        "estimator": model.estimator,
        "seed": model.seed,
    }


def _about(rows: Sequence[CaseRow], gone: Sequence[str]) -> list[str]:
    """Sentences about scans that stand there twice, and about results without a scan."""
    by_voxels: dict[str, list[str]] = {}
    for row in rows:
        if row.voxels:
            by_voxels.setdefault(row.voxels, []).append(row.id)
    told = [SAME_VOXELS.format(ids=", ".join(ids)) for ids in by_voxels.values() if len(ids) > 1]
    return told + ([VANISHED.format(count=len(gone), first=gone[0])] if gone else [])
