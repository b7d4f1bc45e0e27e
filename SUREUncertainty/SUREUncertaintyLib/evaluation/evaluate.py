"""Evaluate a model on a list of cases: every metric per case, then means with intervals over groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.progress import IsCancelled, Progress, never, one_of, silent
from ..files.writing import OutputFolder
from ..inference.engine import Engine
from .case_evaluation import EvaluationOptions, attempt_case
from .case_jobs import Cluster
from .case_result import CaseResult
from .cases import Case, boxes_of
from .cluster import evaluate_on_cluster
from .page import write_evaluation_page
from .predictor import NativePredictor, Predictor
from .progress_file import ProgressFile
from .summary import summarise, write_results

if TYPE_CHECKING:
    from ..packages.package import Package


@dataclass(frozen=True)
class Evaluation:
    """The outcome: one result a case in the list's order, and the content of ``summary.json``."""

    results: tuple[CaseResult, ...]
    summary: dict[str, Any]

    @property
    def n_failed(self) -> int:
        """Cases that could not be evaluated."""
        return sum(bool(result.error) for result in self.results)


def evaluate_cases(
    cases: Sequence[Case],
    package: Package,
    engine: Engine,
    output: Path,
    options: EvaluationOptions | None = None,
    overwrite: bool = False,
    predictor: Predictor | None = None,
    cluster: Cluster | None = None,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Evaluation:
    """Evaluate every case and write ``cases.csv``, ``summary.json`` and ``evaluation.html`` into ``output``.

    A case that cannot be read or evaluated is recorded with its sentence and does not stop the others. Finished cases
    are kept beside the output until the end, so that the same call goes on after a stop; failed ones are tried again.
    With a ``cluster`` its workers evaluate the cases, and the engine here only says what was run.

    Raises:
        InputError: nothing answers at the cluster's address.
        OutputError: the output is in use or cannot be written.
        PackageError: the model itself cannot be run.
        Cancelled: ``is_cancelled`` said so; finished cases are kept.
    """
    chosen, judged = options or EvaluationOptions(), predictor or NativePredictor(package, engine)
    run = _describe(package, engine, judged, chosen)
    finished = ProgressFile(output, run, CaseResult.from_json)
    with OutputFolder(output, overwrite) as folder:
        if cluster is None:
            results = tuple(_run(cases, judged, chosen, finished, progress, is_cancelled))
        else:
            results = evaluate_on_cluster(cases, chosen, finished, cluster, progress, is_cancelled)
        summary = summarise(results, judged.classes, run | boxes_of(cases))
        write_results(results, summary, judged.classes, folder)
        write_evaluation_page(summary, folder)
    finished.remove()
    return Evaluation(results, summary)


def _run(
    cases: Sequence[Case],
    predictor: Predictor,
    options: EvaluationOptions,
    finished: ProgressFile[CaseResult],
    progress: Progress,
    is_cancelled: IsCancelled,
) -> Iterator[CaseResult]:
    """One result a case, from the progress file where it is there."""
    earlier = finished.start()
    for number, case in enumerate(cases):
        progress(number / len(cases), f"case {number + 1} of {len(cases)}: {case.id}")
        key = finished.key(case)
        result = earlier.get(key)
        if result is None:
            result = attempt_case(case, predictor, options, one_of(progress, number, len(cases)), is_cancelled)
            if not result.error:
                finished.append(key, result)
        yield result


def _describe(package: Package, engine: Engine, predictor: Predictor, options: EvaluationOptions) -> dict[str, Any]:
    """What the numbers depend on, apart from the cases."""
    return {
        "model": package.metadata.name,
        "fingerprint": package.fingerprint,
        "estimator": predictor.name,
        "passes": predictor.passes,
        "engine": engine.name,
        "seed": options.seed,
        "noise": {
            "kind": "gaussian",
            "levels": list(options.noise_levels),
            "unit": "spread on the normalised input",
            "delta_level": options.delta_level,
            "normalisation": package.metadata.normalisation,
        },
        "empty_distance": options.empty,
    }
