"""One run of a model on a scan with a label, or on a damaged copy of it: what it told, and how good it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.noise_series import damaged
from ..analysis.quality.forecast import DICE, SURFACE_DICE
from ..analysis.quality.run_measures import WHOLE, RunMeasures
from ..core.errors import InputError
from ..core.progress import IsCancelled, never
from ..core.volume import Volume
from ..corruptions.registry import NAMES
from ..evaluation.cases import Case
from ..evaluation.reference_label import read_reference
from ..files.reading import read_volume
from ..inference.engine import Engine
from ..inference.result import SegmentationResult
from ..inference.segmenter import segment
from ..metrics.overlap import dice
from ..metrics.surface import surface_agreement
from .true_scores import compared

if TYPE_CHECKING:
    from ..packages.package import Package

INTACT = "intact"
FITTED = ("gaussian", "speckle", "blur", "thick_slices", "bias_field", "ghosting")
"""Kinds of damage that forecasts are fitted on."""
UNSEEN = tuple(name for name in NAMES if name not in FITTED)
"""Kinds that no forecast has seen, to measure how it holds for damage that it does not know."""
STRENGTHS = (0.3, 0.6, 1.0)


@dataclass(frozen=True)
class LabelledRun:
    """What one run told and how good it was.

    Attributes:
        case, group: of the case list. kind: ``"intact"`` or the damage; strength: of the damage.
        scores: ``scores["dice" or "surface_dice"][structure or "whole"]``; a structure that neither the label nor the
            result holds is left out, with its whole.
        tolerance_mm: of the surface Dice; NaN for a network that works in pixels.
        status: the verdict of the run as it was. codes: of its warnings.
    """

    case: str
    group: str
    kind: str
    strength: float
    measures: RunMeasures
    scores: dict[str, dict[str, float]]
    tolerance_mm: float
    status: str = ""
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Copy:
    """A kind of damage in a strength; ``"intact"`` for none."""

    kind: str
    strength: float = 0.0


def copies(number: int, kinds: Sequence[str] = FITTED) -> tuple[Copy, ...]:
    """The copies of the ``number``-th case: intact, and every kind in one of three strengths in turn."""
    turns = [Copy(kind, STRENGTHS[(number + turn) % len(STRENGTHS)]) for turn, kind in enumerate(kinds)]
    return (Copy(INTACT), *turns)


def labelled_runs(
    case: Case,
    package: Package,
    engine: Engine,
    wanted: Sequence[Copy],
    tolerance_mm: float,
    seed: int = 0,
    mild_copies: bool = False,
    is_cancelled: IsCancelled = never,
) -> Iterator[LabelledRun]:
    """Segment a labelled scan and its damaged copies, and compare each result with the label.

    Args:
        tolerance_mm: of the surface Dice; NaN leaves it out.
        mild_copies: as ``copies`` of ``segment``.

    Raises:
        InputError: a file is missing or unreadable, the case has no label, or the label does not belong to the scan.
    """
    if case.label is None:
        raise InputError(f"The case {case.id} has no label; a forecast is fitted on labelled scans.")
    scan = read_volume(case.image)
    rois = () if case.region is None else (case.region,)
    reference = read_reference(case, scan, package.metadata.labels)
    assert reference is not None
    for copy in wanted:
        image = scan if copy.kind == INTACT else _damaged(scan, copy, seed)
        result = segment(image, package, engine, rois, is_cancelled=is_cancelled, turn=case.pose, copies=mild_copies)
        yield LabelledRun(
            case=case.id,
            group=case.group,
            kind=copy.kind,
            strength=copy.strength,
            measures=result.measures[0],
            scores=_scores(result, reference, case, package, tolerance_mm),
            tolerance_mm=tolerance_mm,
            status=result.verdict.status,
            codes=tuple(notice.code for notice in result.notices),
        )


def _damaged(scan: Volume, copy: Copy, seed: int) -> Volume:
    return scan.with_array(damaged(scan, copy.kind, copy.strength, seed))


def _scores(
    result: SegmentationResult, reference: NDArray[Any], case: Case, package: Package, tolerance_mm: float
) -> dict[str, dict[str, float]]:
    """Dice, and surface Dice where there is a tolerance, of each structure and of the whole."""
    pairs = list(compared(result, reference, package, case.pose))
    found = {DICE: {one.own: dice(one.drawn, one.true) for one in pairs}}
    if np.isfinite(tolerance_mm):
        spacing = result.labels.grid.spacing_kji
        found[SURFACE_DICE] = {one.own: surface_agreement(one.drawn, one.true, spacing, tolerance_mm) for one in pairs}
    return {score: values | {WHOLE: float(np.mean(list(values.values())))} for score, values in found.items()}
