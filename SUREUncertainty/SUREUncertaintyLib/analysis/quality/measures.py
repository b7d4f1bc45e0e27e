"""Takes the measures of a run from what it has anyway: its maps, its volume ranges, its uncertain regions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...core.labels import Label
from ...core.volume import Volume
from ..edge_and_pieces import at_image_edge, pieces_of
from ..rows import StructureRow, UncertainRegion
from ..volume_range import MM3_PER_ML
from ..voxel_neighbours import differs_from_neighbour
from .run_measures import COPIES, MEASURES, Measures, RunMeasures


@dataclass(frozen=True, eq=False)
class RunMaps:
    """What is measured: label map (k, j, i), and normalised entropy on the same grid, NaN where not analysed.

    ``overlaps``: the Dice that the probabilities themselves expect, by label value (``Canvas.expect``).
    ``agreements``: Dice with the answers to mildly disturbed copies, by label value (``inference.mild_copies``).
    """

    labels: Volume
    entropy: Volume
    structures: Sequence[StructureRow]
    regions: Sequence[UncertainRegion]
    overlaps: Mapping[int, float]
    agreements: Mapping[int, tuple[float, float, float]] = field(default_factory=dict)

    @cached_property
    def found(self) -> dict[int, Measures]:
        """Values of ``MEASURES``, but ``mean_entropy``, of every structure that was found, by label value.

        Mean uncertainty and entropy at the boundary and inside, the share of uncertain voxels, how far the volume range
        reaches below and above the volume (as a share of it), 1 - the expected Dice, the share outside of the largest
        piece, 1 where the image's edge cuts the structure, the volume of uncertain islands over that of the structure,
        - S of its logit map, and 1 - each of the agreements. NaN where one is undefined.
        """
        rows = {row.value: row for row in self.structures if row.voxels}
        pieces = pieces_of(self.labels.array, list(rows))
        cut = at_image_edge(self.labels.array)
        islands = sum(region.size_mm3 for region in self.regions if region.is_island) / MM3_PER_ML
        boxes = dict(enumerate(ndimage.find_objects(self.labels.array), start=1))
        found = {}
        for value, row in rows.items():
            box = _widened(boxes[value], self.labels.array.shape)
            boundary, inside = _entropies(self.labels.array[box], self.entropy.array[box], value)
            numbers = (
                row.boundary_uncertainty,
                row.interior_uncertainty,
                boundary,
                inside,
                row.share_over_threshold,
                1.0 - row.volume_low_ml / row.volume_ml,
                row.volume_high_ml / row.volume_ml - 1.0,
                1.0 - self.overlaps.get(value, math.nan),
                1.0 - float(pieces[value][0]) / float(pieces[value].sum()),
                float(value in cut),
                islands / row.volume_ml,
                math.nan,
                -row.perception_scale,
                *(1.0 - dice for dice in self.agreements.get(value, (math.nan,) * len(COPIES))),
            )
            found[value] = dict(zip(MEASURES, numbers, strict=True))
        return found

    def of_region(self, part: RunPart) -> RunMeasures:
        """The measures of one region."""
        pairs = [(label.value, plain.name) for label, plain in zip(part.label_set, part.own, strict=True)]
        volumes = {row.value: row.volume_ml for row in self.structures}
        entropy = self.entropy.array[part.block]
        shared = {"mean_entropy": _mean_in(entropy, np.isfinite(entropy))}
        return RunMeasures(
            region=part.name,
            grey=dict(part.grey),
            structures={plain: self.found[value] | shared for value, plain in pairs if value in self.found},
            volumes_ml={plain: volumes[value] for value, plain in pairs if value in self.found} if part.in_mm else {},
            missing=tuple(plain for value, plain in pairs if value not in self.found),
        )


@dataclass(frozen=True)
class RunPart:
    """A region of a run.

    Attributes:
        block: its voxels (k, j, i). grey: measures of its grey values.
        label_set: its labels; own: the package's, in the same order.
        in_mm: whether the network works in mm, so that volumes mean something.
    """

    name: str
    block: tuple[slice, slice, slice]
    grey: Mapping[str, float]
    label_set: Sequence[Label]
    own: Sequence[Label]
    in_mm: bool


def _widened(box: tuple[slice, ...], shape: Sequence[int]) -> tuple[slice, ...]:
    """One voxel more on every side, so that the boundary is seen from inside the box."""
    return tuple(slice(max(0, s.start - 1), min(n, s.stop + 1)) for s, n in zip(box, shape, strict=True))


def _entropies(labels: NDArray[Any], entropy: NDArray[Any], value: int) -> tuple[float, float]:
    own = (labels == value) & np.isfinite(entropy)
    boundary = own & differs_from_neighbour(labels)
    return _mean_in(entropy, boundary), _mean_in(entropy, own & ~boundary)


def _mean_in(values: NDArray[Any], where: NDArray[np.bool_]) -> float:
    return float(values[where].mean(dtype=np.float64)) if where.any() else math.nan
