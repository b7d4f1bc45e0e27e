"""Scores a cohort: every scan once, some of them again with damage for the gate, on all cores or a cluster."""

from __future__ import annotations

import csv
import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from .. import __version__
from ..analysis.auv import auv_values
from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, silent
from ..core.safe_names import from_table_cell
from ..core.tasks import core_count
from ..evaluation.case_jobs import Work, run_remaining
from ..evaluation.cases import Case
from ..evaluation.progress_file import FinishedCases, ProgressFile
from ..location.choice import AUTO
from ..metrics.correlation import partial_spearman, spearman
from .case_scale import CaseScale, Job, ScaleOptions, run_job
from .damage import IMAGE_DAMAGE, LABEL_DAMAGE
from .extractors.extractor import Extractor
from .extractors.registry import ExtractorOptions, create_extractor
from .gate import DamageTest, Gate, choose_damaged, damage_test
from .table import SCHEMA, DifficultyTable

NO_LABELS = "The network reads no labels, so it cannot see damaged ones; damage of labels was not tested."


@dataclass(frozen=True)
class CohortOptions:
    """How a cohort is scored.

    Attributes:
        gate: whether to run the validity gate, which scores a share of the scans again with each kind of damage.
        workers: local processes, all cores when None. scheduler: a Dask scheduler in their place.
        dice: Dice by scan id from an evaluation, for the gate.
    """

    extractor: ExtractorOptions
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    gate: bool = True
    seed: int = 0
    workers: int | None = None
    scheduler: str | None = None
    dice: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoredCohort:
    """A table, its gate (None when it was not run), and the file of finished scans to remove once all is written."""

    table: DifficultyTable
    gate: Gate | None
    finished: ProgressFile[CaseScale]

    @property
    def n_failed(self) -> int:
        """Scans that could not be scored."""
        return sum(bool(scan.error) for scan in self.table.scans)


def score_cohort(
    cases: Sequence[Case],
    output: Path,
    options: CohortOptions,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> ScoredCohort:
    """Score every scan and run the gate.

    Finished scans are kept beside ``output`` until ``finished.remove()``, so that the same call goes on after a stop.

    Raises:
        InputError, PackageError, EngineError: the extractor cannot be built, a case asks to search for its box, or
            nothing answers at the scheduler.
        Cancelled: ``is_cancelled`` said so; finished scans are kept.
    """
    _refuse_searches(cases)
    options = replace(options, extractor=_with_threads(options))
    extractor = create_extractor(options.extractor)
    header = _header(extractor, options)
    finished = ProgressFile(output, header, CaseScale.from_json)
    jobs = [*_jobs(cases, options), *(_gate_jobs(cases, extractor, options) if options.gate else ())]
    results = _run(jobs, options, finished, progress, is_cancelled)
    scans = results[: len(cases)]
    damaged = {(job.damage, job.case.id): results[n] for n, job in enumerate(jobs) if job.damage}
    gate = _gate(scans, damaged, extractor, options) if options.gate else None
    header["gate"] = gate.to_json() if gate else None
    return ScoredCohort(DifficultyTable(scans, header), gate, finished)


def read_dice(path: Path) -> dict[str, float]:
    """Mean Dice by scan id from ``cases.csv`` of an evaluation (or from its folder).

    Raises:
        InputError: no such file, or another kind of table.
    """
    file = path / "cases.csv" if path.is_dir() else path
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = [row for row in csv.DictReader(stream) if row["structure"] == "mean" and row["dice"]]
        return {from_table_cell(row["id"]): float(row["dice"]) for row in rows}
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"There is no evaluation at {path}; expected cases.csv as 'sure evaluate' writes it."
        ) from error


def _refuse_searches(cases: Sequence[Case]) -> None:
    searched = [case.id for case in cases if case.is_searched]
    if searched:
        raise InputError(
            f"The column roi of the case {searched[0]} says {AUTO}, but 'sure difficulty' searches for no region, "
            "since its networks need not be models that can. Give the box; 'sure segment' writes those it finds into "
            "report.json (rois)."
        )


def _with_threads(options: CohortOptions) -> ExtractorOptions:
    """Cores shared out among the local processes."""
    if options.extractor.threads is not None or options.scheduler:
        return options.extractor
    cores = core_count()
    return replace(options.extractor, threads=max(1, cores // (options.workers or cores)))


def _header(extractor: Extractor, options: CohortOptions) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "fingerprint": extractor.fingerprint.to_json(),
        "kind": extractor.kind,
        "label_free": not extractor.needs_labels,
        "power": options.scale.power,
        "center": options.scale.center,
        "seed": options.seed,
        "versions": {
            "sure-uncertainty": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
    }


def _jobs(cases: Sequence[Case], options: CohortOptions) -> list[Job]:
    return [Job(case, options.extractor, options.scale, seed=options.seed) for case in cases]


def _gate_jobs(cases: Sequence[Case], extractor: Extractor, options: CohortOptions) -> Iterator[Job]:
    chosen = set(choose_damaged({case.id: case.group for case in cases}, seed=options.seed))
    for kind in _kinds(extractor):
        for case in cases:
            if case.id in chosen:
                yield Job(case, options.extractor, options.scale, kind, options.seed)


def _kinds(extractor: Extractor) -> tuple[str, ...]:
    return (*IMAGE_DAMAGE, *(LABEL_DAMAGE if extractor.needs_labels else ()))


def _run(
    jobs: Sequence[Job],
    options: CohortOptions,
    finished: ProgressFile[CaseScale],
    progress: Progress,
    is_cancelled: IsCancelled,
) -> tuple[CaseScale, ...]:
    """The result of every job, from the file of finished ones where it is there."""
    kept = FinishedCases(finished, [f"{finished.key(job.case)}|{job.damage}" for job in jobs])
    work = Work(run_job, jobs, lambda job, why: CaseScale.failed(job.case, why), kept)
    return run_remaining(work, options.workers, options.scheduler, progress, is_cancelled)


def _gate(
    scans: Sequence[CaseScale],
    damaged: Mapping[tuple[str, str], CaseScale],
    extractor: Extractor,
    options: CohortOptions,
) -> Gate:
    groups = {scan.id: scan.group for scan in scans}
    intact = {scan.id: scan.scale for scan in scans if math.isfinite(scan.scale)}
    tests = []
    for kind in _kinds(extractor):
        hurt = {name: scan.scale for (what, name), scan in damaged.items() if what == kind and name in intact}
        tests.append(damage_test(kind, intact, hurt, groups, kind in LABEL_DAMAGE, options.seed))
    return _with_correlations(tuple(tests), scans, extractor, options)


def _with_correlations(
    tests: tuple[DamageTest, ...], scans: Sequence[CaseScale], extractor: Extractor, options: CohortOptions
) -> Gate:
    auv = auv_values([scan.scale for scan in scans]).tolist()
    volume = [math.log(scan.volume_ml) if scan.volume_ml > 0 else float("nan") for scan in scans]
    fresh = [scan for scan in scans if not scan.seen]
    error = [1.0 - options.dice.get(scan.id, float("nan")) for scan in scans]
    known = [scan for scan in fresh if scan.id in options.dice]
    notes = [] if extractor.needs_labels else [NO_LABELS]
    if len(fresh) < len(scans):
        known_to_it = len(scans) - len(fresh)
        notes.append(f"The network was trained or tuned on {known_to_it} of the {len(scans)} scans.")
    return Gate(
        damage=tests,
        volume_correlation=spearman(auv, volume),
        error_given_volume=partial_spearman(auv, error, volume),
        dice_correlation=spearman([scan.scale for scan in known], [options.dice[scan.id] for scan in known]),
        dice_scans=len(known),
        notes=tuple(notes),
    )
