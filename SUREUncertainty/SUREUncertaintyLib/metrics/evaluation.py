"""Evaluate a model on a list of cases: every metric per case, then means with intervals over groups."""

from __future__ import annotations

import time
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from ..core.errors import Cancelled
from ..core.errors import PackageError
from ..core.errors import SureError
from ..core.progress import IsCancelled
from ..core.progress import Progress
from ..core.progress import never
from ..core.progress import silent
from ..core.reading import read_volume
from ..core.writing import OutputFolder
from ..inference.engine import Engine
from .case_result import CaseResult
from .case_result import Scores
from .cases import Case
from .predictor import NativePredictor
from .predictor import Predictor
from .progress_file import ProgressFile
from .reference import read_reference
from .relation_scores import score_relations
from .relations import DELTA_LEVEL
from .relations import NOISE_LEVELS
from .structure_scores import score_structures
from .structure_scores import score_without_label
from .summary import summarise
from .summary import write_results
from .surface import EmptyRule

if TYPE_CHECKING:
    from ..packages.package import Package


@dataclass(frozen=True)
class EvaluationOptions:
    """What an evaluation measures and how it draws.

    Attributes:
        seed: base seed of the noise fields and of the bootstrap.
        noise_levels: spreads of the Gaussian noise in units of the normalised input; empty: no noise is run.
        delta_level: the level of the distance relation.
        empty: HD95 and ASSD of missed and spurious structures: left out, or the diagonal of the image.
    """

    seed: int = 0
    noise_levels: tuple[float, ...] = NOISE_LEVELS
    delta_level: float = DELTA_LEVEL
    empty: EmptyRule = "undefined"


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
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Evaluation:
    """Evaluate every case and write ``cases.csv`` and ``summary.json`` into ``output``.

    A case that cannot be read or evaluated is recorded with its sentence and does not stop the others. Finished cases
    are kept beside the output until the end, so that the same call goes on after a stop; failed ones are tried again.

    Raises:
        OutputError: the output is in use or cannot be written.
        PackageError: the model itself cannot be run.
        Cancelled: ``is_cancelled`` said so; finished cases are kept.
    """
    chosen, judged = options or EvaluationOptions(), predictor or NativePredictor(package, engine)
    run = _describe(package, engine, judged, chosen)
    finished = ProgressFile(output, run, CaseResult.from_json)
    with OutputFolder(output, overwrite) as folder:
        results = tuple(_run(cases, judged, chosen, finished, progress, is_cancelled))
        summary = summarise(results, judged.classes, run)
        write_results(results, summary, judged.classes, folder)
    finished.remove()
    return Evaluation(results, summary)


def evaluate_case(
    case: Case,
    predictor: Predictor,
    options: EvaluationOptions,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> CaseResult:
    """Every metric of one case; a pure function of the files, the model and the options.

    Without a reference label the metrics that compare with one are undefined, and the boundary of the relations comes
    from the prediction, as ``CaseResult.boundary`` says.

    Raises:
        InputError: a file is missing or unreadable, or the label does not belong to the scan.
    """
    start = time.perf_counter()
    image = read_volume(case.image)
    reference = read_reference(case, image, predictor.classes)
    prediction = predictor.predict(image, progress, is_cancelled)
    scores, details = Scores(), dict[str, Any]()
    if reference is None:
        score_without_label(scores, predictor.classes)
    else:
        spacing = image.grid.spacing_kji
        details["ueo_threshold"] = score_structures(
            scores, prediction, reference, predictor.classes, spacing, options.empty
        )
    labels = prediction.labels if reference is None else reference
    passes = predictor.noisy(image, options.noise_levels, options.seed, case.id, is_cancelled)
    noisy = zip(options.noise_levels, passes, strict=True)
    record = score_relations(scores, image, labels, prediction.uncertainty, noisy, options.delta_level)
    return CaseResult(
        id=case.id,
        group=case.group,
        split=case.split,
        values=scores.values,
        undefined={metric: reasons for metric, reasons in scores.undefined.items() if reasons},
        boundary="label" if reference is not None else "prediction",
        far_by_level=record.far_by_level,
        details={**details, **record.details, "seconds": round(time.perf_counter() - start, 3)},
    )


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
            result = _attempt(case, predictor, options, _share(progress, number, len(cases)), is_cancelled)
            if not result.error:
                finished.append(key, result)
        yield result


def _share(progress: Progress, number: int, total: int) -> Progress:
    """A progress that fills one case's share of another."""
    return lambda fraction, text: progress((number + fraction) / total, text)


def _attempt(
    case: Case, predictor: Predictor, options: EvaluationOptions, progress: Progress, is_cancelled: IsCancelled
) -> CaseResult:
    """The result of a case, or its failure as a sentence."""
    try:
        return evaluate_case(case, predictor, options, progress, is_cancelled)
    except Cancelled:
        raise Cancelled(
            "The run was cancelled. Finished cases are kept; the same command goes on from there."
        ) from None
    except PackageError:
        raise
    except SureError as error:
        return CaseResult(case.id, case.group, case.split, error=str(error))
    except Exception as error:  # one broken case never stops the rest
        text = f"The case {case.id} could not be evaluated ({type(error).__name__}: {error})."
        return CaseResult(case.id, case.group, case.split, error=text)


def _describe(package: Package, engine: Engine, predictor: Predictor, options: EvaluationOptions) -> dict[str, Any]:
    """What the numbers depend on, apart from the cases."""
    return {
        "model": package.metadata.name,
        "fingerprint": package.fingerprint,
        "estimator": predictor.name,
        "passes": getattr(predictor, "passes", 1),
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
