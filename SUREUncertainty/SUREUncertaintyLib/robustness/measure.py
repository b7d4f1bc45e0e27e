"""The robustness test: cases times corruptions times levels, resumable, whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, one_of, raise_if_cancelled, silent
from ..corruptions.registry import NAMES, find_corruption
from ..corruptions.strengths import scale_of
from ..evaluation.case_jobs import Cluster
from ..evaluation.cases import Case, boxes_of
from ..evaluation.predictor import NativePredictor
from ..files.writing import OutputFolder
from .attempt import attempt_series
from .cluster import run_on_cluster
from .finished_cases import Store
from .results import SeriesResult
from .series import OpenCase, SeriesOptions
from .strengths import check_levels
from .summary import summarise_corruptions
from .tables import write_tables

SCHEMA = "sure-uncertainty/robustness/1"
ALL = "all"

Add = Callable[[dict[str, Any], Path], None]
"""Writes more files from the document into the folder, for instance a page with a chart."""


@dataclass(frozen=True)
class Robustness:
    """The outcome: one series a case and corruption, and the content of ``robustness.json``."""

    series: tuple[SeriesResult, ...]
    document: dict[str, Any]

    @property
    def n_failed(self) -> int:
        """Cases of which anything could not be run; what makes no sense for a scan does not count."""
        return len({result.id for result in self.series if result.error})


def parse_corruptions(text: str) -> tuple[str, ...]:
    """Names from ``"rician"``, ``"rician,blur"`` or ``"all"``. Raises ``InputError``."""
    if text.strip() == ALL:
        return NAMES
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise InputError(f"No corruption was named. Choose from {', '.join(NAMES)}, or {ALL}.")
    return tuple(find_corruption(name).name for name in names)


def run_robustness(
    cases: Sequence[Case],
    predictor: NativePredictor,
    corruptions: Sequence[str],
    output: Path,
    options: SeriesOptions | None = None,
    overwrite: bool = False,
    additions: Sequence[Add] = (),
    cluster: Cluster | None = None,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Robustness:
    """Run every corruption on every case and write ``robustness.csv`` and ``robustness.json`` into ``output``.

    Finished levels are kept beside the output until the end, so that the same call goes on after a stop. A case that
    cannot be read stops no other; where there is only one series, its error is raised. With a ``cluster`` its workers
    run the series, and the engine here only says what was run.

    Raises:
        InputError: levels, unit or corruptions that make no sense, the only series failed, or nothing answers at the
            cluster's address.
        OutputError, PackageError, EngineError: nothing was written.
        Cancelled: ``is_cancelled`` said so; finished levels are kept.
    """
    chosen = options or SeriesOptions()
    check_levels(chosen.levels)
    for name in corruptions:
        scale_of(find_corruption(name).name, chosen.unit)
    run = describe_run(predictor, chosen)
    store = Store(output, {name: value for name, value in run.items() if name != "levels"})
    with OutputFolder(output, overwrite) as folder:
        if cluster is None:
            series = tuple(_run(cases, predictor, corruptions, chosen, store, progress, is_cancelled))
        else:
            series = run_on_cluster(cases, corruptions, chosen, store, cluster, progress, is_cancelled)
        document = _document(series, run | boxes_of(cases), chosen.seed)
        write_tables(series, document, predictor.classes, folder)
        for add in additions:
            add(document, folder)
    store.remove()
    return Robustness(series, document)


def describe_run(predictor: NativePredictor, options: SeriesOptions) -> dict[str, Any]:
    """What every number depends on, apart from cases, files and corruption."""
    package = predictor.package
    return {
        "model": package.metadata.name,
        "fingerprint": package.fingerprint,
        "estimator": predictor.name,
        "passes": predictor.passes,
        "engine": predictor.engine.name,
        "uncertainty": package.metadata.primary,
        "structures": [label.name for label in predictor.classes if label.value != 0],
        "seed": options.seed,
        "levels": list(options.levels),
        "unit": options.unit,
        "normalisation": package.metadata.normalisation,
    }


def _document(series: Sequence[SeriesResult], run: dict[str, Any], seed: int) -> dict[str, Any]:
    errors = dict.fromkeys((result.id, result.error) for result in series if result.error)
    boundaries = {result.id: result.boundary for result in series if result.clean is not None}
    return {
        "schema": SCHEMA,
        **run,
        "n_cases": len({result.id for result in series}),
        "n_failed": len({name for name, _ in errors}),
        "failed": [{"id": name, "error": error} for name, error in errors],
        "boundary": dict(Counter(boundaries.values())),
        "corruptions": summarise_corruptions(series, seed),
        "series": [result.to_json() for result in series],
    }


def _run(
    cases: Sequence[Case],
    predictor: NativePredictor,
    corruptions: Sequence[str],
    options: SeriesOptions,
    store: Store,
    progress: Progress,
    is_cancelled: IsCancelled,
) -> Iterator[SeriesResult]:
    total, alone = len(cases) * len(corruptions), len(cases) * len(corruptions) == 1
    for number, case in enumerate(cases):
        opened = OpenCase(case, predictor, store, is_cancelled)
        for place, name in enumerate(corruptions):
            raise_if_cancelled(is_cancelled)
            share = one_of(progress, number * len(corruptions) + place, total, case.id)
            yield attempt_series(opened, name, options, share, alone)
