"""The results folder of a scored cohort: table, ranking, lists to keep and to drop, random controls, page."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..core.progress import IsCancelled, Progress, never, silent
from ..core.safe_names import table_cell, table_row
from ..evaluation.cases import COLUMNS, Case
from ..files.writing import OutputFolder
from .cohort import CohortOptions, ScoredCohort, score_cohort
from .gate import verdict
from .page import NOT_RUN, ranking, write_page
from .patient_filter import SCAN, Combine, FilterOutcome, Scored, check_filter, filter_patients, random_drop
from .table import write_table

CONTROL_SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class FilterOptions:
    """Which share of the patients to keep, and how classes are combined; see ``patient_filter.filter_patients``."""

    shares: tuple[float, ...] = (0.95, 0.9)
    combine: Combine = "scan"
    target: str | None = None

    def __post_init__(self) -> None:
        for share in self.shares:
            check_filter(share, self.combine)


@dataclass(frozen=True)
class AssessedCohort:
    """What came out: the scored cohort, one filter a share, and the gate's sentences."""

    scored: ScoredCohort
    kept: tuple[FilterOutcome, ...]
    sentences: tuple[str, ...]


def assess_cohort(
    cases: Sequence[Case],
    output: Path,
    options: CohortOptions,
    filters: FilterOptions,
    overwrite: bool = False,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> AssessedCohort:
    """Score a cohort, run the gate, filter, and write the results folder, whole or not at all.

    Raises:
        OutputError: the folder is in use or cannot be written, found out before anything is scored.
        InputError: a filter that makes no sense, and as ``score_cohort``. Cancelled: finished scans are kept.
    """
    with OutputFolder(output, overwrite) as folder:
        scored = score_cohort(cases, output, options, progress, is_cancelled)
        scans = scored.table.scored()
        kept = tuple(filter_patients(scans, share, filters.combine, filters.target) for share in filters.shares)
        columns = {f"kept_{share:g}": one.keep for share, one in zip(filters.shares, kept, strict=True)}
        write_table(scored.table, folder, columns)
        _write_ranking(scored, folder)
        for share, outcome in zip(filters.shares, kept, strict=True):
            _write_lists(f"{share:g}", outcome, scans, cases, folder)
        sentences = verdict(scored.gate) if scored.gate else [NOT_RUN]
        (folder / "validity.txt").write_text("\n".join(sentences) + "\n", encoding="utf-8")
        write_page(scored.table, scored.gate, kept, {case.id: case for case in cases}, folder)
    scored.finished.remove()
    return AssessedCohort(scored, kept, tuple(sentences))


def _write_lists(
    share: str, outcome: FilterOutcome, scans: Sequence[Scored], cases: Sequence[Case], folder: Path
) -> None:
    """What to keep, what to drop, and what to keep when as many patients are dropped at random."""
    _write_ids(folder / f"keep_{share}.csv", outcome.keep, cases)
    _write_ids(folder / f"drop_{share}.csv", outcome.drop, cases)
    for seed in CONTROL_SEEDS if outcome.drop else ():
        ids = random_drop(scans, outcome.dropped_patients, seed)
        _write_ids(folder / f"keep_{share}_random_{seed}.csv", ids, cases)


def _write_ranking(scored: ScoredCohort, folder: Path) -> None:
    span = scored.table.ranges()[SCAN]
    with (folder / "ranking.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("rank", "id", "group", "S", "auv"))
        for number, scan in enumerate(ranking(scored.table)):
            cells = (f"{scan.scale:.10g}", f"{span.auv(scan.scale):.10g}")
            writer.writerow(table_row((number + 1, scan.id, scan.group, *cells)))


def _write_ids(path: Path, ids: Sequence[str], cases: Sequence[Case]) -> None:
    """A case list of the chosen scans, with absolute paths, that every command takes."""
    chosen = set(ids)
    columns = COLUMNS if any(case.roi for case in cases) else COLUMNS[:-1]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        for case in cases:
            if case.id in chosen:
                writer.writerow(
                    {name: "" if value is None else table_cell(str(value)) for name, value in asdict(case).items()}
                )
