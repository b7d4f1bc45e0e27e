"""Runs a model on labelled scans and damaged copies of them, and stores the forecast that follows in its package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.quality.quality_model import FEWEST, QualityModel
from ..analysis.quality.stability import StabilityModel
from ..core.dataclass_json import from_json, to_json
from ..core.errors import Cancelled, InputError, SureError
from ..core.progress import IsCancelled, Progress, never, silent
from ..evaluation.case_jobs import Work, run_remaining
from ..evaluation.cases import Case
from ..evaluation.progress_file import FinishedCases, ProgressFile
from ..inference.engine import Engine
from ..inference.estimation.model_options import ModelOptions, open_model
from ..packages.package_building import amend_package
from ..packages.package_fingerprint import network_digest
from .fit import fit_quality
from .fit_stability import fit_stability
from .labelled_run import FITTED, Copy, LabelledRun, copies, labelled_runs

if TYPE_CHECKING:
    from ..packages.package import Package

SETTING = "quality"
"""Of the package's metadata."""


@dataclass(frozen=True)
class CaseRuns:
    """All runs on one case, or the sentence of its failure."""

    id: str
    runs: tuple[LabelledRun, ...] = ()
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        document: dict[str, Any] = to_json(self)
        return document


@dataclass(frozen=True)
class RunsJob:
    """One case with its copies, as it travels."""

    case: Case
    model: ModelOptions
    copies: tuple[Copy, ...]
    tolerance_mm: float
    seed: int
    mild_copies: bool


@dataclass(frozen=True)
class CalibrationOptions:
    """How scans are run.

    Attributes:
        kinds: of damage. seed: of what is random in them.
        tolerance_mm: of the surface Dice; None: the model's spacing.
        mild_copies: whether every run, then and later, also asks for two mildly disturbed copies of its image: three
            times the network's time, for a forecast that tells more.
    """

    kinds: tuple[str, ...] = FITTED
    tolerance_mm: float | None = None
    seed: int = 0
    mild_copies: bool = False


def run_cases(
    cases: Sequence[Case],
    model: ModelOptions,
    package: Package,
    options: CalibrationOptions,
    kept: Path,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> tuple[CaseRuns, ...]:
    """Every run on every case; finished cases are kept in a hidden file beside ``kept``, so that a stop costs little.

    Args:
        workers, scheduler: see ``core.tasks.run_tasks``.

    Raises:
        InputError: nothing answers at the scheduler's address. Cancelled.
    """
    tolerance = tolerance_of(package, options)
    jobs = [
        RunsJob(case, model, copies(number, options.kinds), tolerance, options.seed + number, options.mild_copies)
        for number, case in enumerate(cases)
    ]
    run = {"fingerprint": network_digest(package), "tolerance": str(tolerance), **to_json(options)}
    file = ProgressFile(kept, run, lambda document: from_json(CaseRuns, document))
    finished = FinishedCases(file, [file.key(case) for case in cases])
    work = Work(run_job, jobs, lambda job, why: CaseRuns(job.case.id, error=why), finished)
    found = run_remaining(work, workers, scheduler, progress, is_cancelled)
    file.remove()
    return found


def run_job(job: RunsJob) -> CaseRuns:
    """The runs of one case; one that cannot be run comes back with its sentence."""
    try:
        opened = open_model(job.model)
        settings = (job.copies, job.tolerance_mm, job.seed, job.mild_copies)
        runs = labelled_runs(job.case, opened.package, opened.engine, *settings)
        return CaseRuns(job.case.id, tuple(runs))
    except Cancelled:
        raise
    except SureError as error:
        return CaseRuns(job.case.id, error=str(error))


def tolerance_of(package: Package, options: CalibrationOptions) -> float:
    """Of the surface Dice, in mm: as asked for, else the model's coarsest spacing; NaN for one that works in pixels."""
    if options.tolerance_mm is not None:
        return options.tolerance_mm
    return math.nan if package.metadata.spacing is None else max(package.metadata.spacing)


def calibrate(
    found: Sequence[CaseRuns], package: Package, engine: Engine, data: str, options: CalibrationOptions
) -> tuple[QualityModel | StabilityModel, Package]:
    """Fit the forecast on runs and store it in the package; of fewer than ten patients, the stability of their runs.

    Args:
        data: what the scans are, for the record.

    Raises:
        InputError: too few patients, without mildly disturbed copies. PackageError, OutputError: the package cannot be
            changed.
    """
    runs = [run for case in found for run in case.runs]
    record = {
        "data": data,
        "cases": [case.id for case in found if case.runs],
        "kinds": list(options.kinds),
        "seed": options.seed,
    }
    holds_for = (network_digest(package), engine.estimator, engine.passes)
    model: QualityModel | StabilityModel
    if options.mild_copies and len({run.group for run in runs if run.measures.whole is not None}) < FEWEST:
        model = fit_stability(runs, *holds_for, record)
    else:
        model = fit_quality(runs, *holds_for, options.mild_copies, record)
    return model, amend_package(package, {SETTING: model.to_json()})


def seen_in_training(cases: Sequence[Case], package: Package) -> list[str]:
    """Ids of the list that the package also names among the cases that it was trained on."""
    trained = set(package.metadata.training.training_ids)
    return [case.id for case in cases if case.id in trained]


def require_own_map(package: Package, engine: Engine) -> None:
    """Raise ``InputError`` for a model with a head from ``sure fit``, whose runs have no forecast."""
    if engine.scales:
        raise InputError(
            f"The map of the model '{package.name}' is that of a head from sure fit, for which no forecast is made. "
            f"Take the head out first: sure fit {package.name} --remove."
        )


def require_labels(cases: Sequence[Case]) -> None:
    """Raise ``InputError`` for a list without any label."""
    if not any(case.label for case in cases):
        raise InputError("The list has no labels. Give the reference segmentation of each scan in the column label.")
