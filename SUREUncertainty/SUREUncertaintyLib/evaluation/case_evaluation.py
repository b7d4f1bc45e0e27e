"""Every metric of one case."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ..core.errors import Cancelled, PackageError, SureError
from ..core.progress import IsCancelled, Progress, never, silent
from ..files.reading import read_volume
from ..metrics.relations import DELTA_LEVEL, NOISE_LEVELS
from ..metrics.surface import EmptyRule
from .case_result import CaseResult, Scores
from .cases import Case
from .predictor import Predictor
from .reference_label import read_reference
from .relation_scores import score_relations
from .structure_scores import score_structures, score_volumes, score_without_label


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
    scan, others = read_volume(case.image), {name: read_volume(file) for name, file in case.channels}
    predictor = predictor.within(case.region, case.pose, others)
    part = predictor.judged(scan)
    image, reference = part.of_volume(scan), read_reference(case, scan, predictor.classes, part)
    prediction = predictor.predict(scan, progress, is_cancelled)
    scores, details = Scores(), dict[str, Any]()
    if reference is None:
        score_without_label(scores, predictor.classes)
    else:
        spacing = image.grid.spacing_kji
        details["ueo_threshold"] = score_structures(
            scores, prediction, reference, predictor.classes, spacing, options.empty
        )
        score_volumes(scores, prediction, reference, predictor.classes, spacing)
    labels = prediction.labels if reference is None else reference
    passes = predictor.noisy(scan, options.noise_levels, options.seed, case.id, is_cancelled)
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


def attempt_case(
    case: Case,
    predictor: Predictor,
    options: EvaluationOptions,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> CaseResult:
    """The result of a case, or its failure as a sentence. Raises PackageError when the model itself cannot be run."""
    try:
        return evaluate_case(case, predictor, options, progress, is_cancelled)
    except Cancelled:
        raise Cancelled(
            "The run was cancelled. Finished cases are kept; the same command goes on from there."
        ) from None
    except PackageError:
        raise
    except SureError as error:
        return CaseResult.failed(case, str(error))
    except Exception as error:  # one broken case never stops the rest
        text = f"The case {case.id} could not be evaluated ({type(error).__name__}: {error})."
        return CaseResult.failed(case, text)
