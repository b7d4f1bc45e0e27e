"""How good a result really is, where a label is there to tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..evaluation.cases import Case
from ..evaluation.reference_label import read_reference
from ..evaluation.scored_region import scored_region_of
from ..inference.result import SegmentationResult
from ..inference.turned import Turn
from ..metrics.overlap import dice

if TYPE_CHECKING:
    from ..packages.package import Package


def dice_with_label(
    case: Case, result: SegmentationResult, package: Package, turn: Turn | None = None
) -> dict[str, float]:
    """Dice of every structure of a result with the case's label, by the result's own names; empty without a label.

    Each region is compared on its own part of the scan. Raises InputError for a label that does not belong to the scan.
    """
    reference = read_reference(case, result.image, package.metadata.labels)
    return {} if reference is None else region_dice(result, reference, package, turn)


def region_dice(
    result: SegmentationResult, reference: NDArray[Any], package: Package, turn: Turn | None = None
) -> dict[str, float]:
    """As ``dice_with_label``; ``reference``: label map (k, j, i) of the package's values on the scan's grid."""
    return {one.name: dice(one.drawn, one.true) for one in compared(result, reference, package, turn)}


@dataclass(frozen=True, eq=False)
class Compared:
    """A structure of a result beside that of the label, on its part of the scan; ``own``: the package's name of it."""

    name: str
    own: str
    drawn: NDArray[np.bool_]
    true: NDArray[np.bool_]


def compared(
    result: SegmentationResult, reference: NDArray[Any], package: Package, turn: Turn | None = None
) -> Iterator[Compared]:
    """Every structure, region by region; arguments as for ``region_dice``."""
    own = package.metadata.foreground
    for number, roi in enumerate(result.rois or (None,)):
        part = scored_region_of(result.labels.grid, package.metadata, roi, turn)
        drawn, true = part.of(result.labels.array), part.of(reference)
        for label, plain in zip(result.label_set[number * len(own) :], own, strict=False):
            yield Compared(label.name, plain.name, drawn == label.value, true == plain.value)
