"""From the stored array's axes to those that a network was trained on, without moving a voxel, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...core.geometry import orientation_code, parse_orientation
from ...core.volume import Grid
from ...packages.pipeline import Pipeline

Kind = TypeVar("Kind", bound=np.generic)
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class ArrayAxes:
    """A turn of arrays.

    Attributes:
        order: axis n of the network's array is the stored array's axis ``order[n]``.
        flipped: for each axis of the network's array, whether it runs against the stored one.
        shape: of the stored block (k, j, i).
    """

    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    shape: tuple[int, int, int]

    def forward(self, array: NDArray[Kind]) -> NDArray[Kind]:
        """A view of a stored array (..., k, j, i) in the network's axes."""
        lead = array.ndim - 3
        turned = array.transpose((*range(lead), *(lead + axis for axis in self.order)))
        return turned[(..., *self._steps())]

    def backward(self, array: NDArray[Kind]) -> NDArray[Kind]:
        """A view of an array in the network's axes in the stored order (..., k, j, i)."""
        lead = array.ndim - 3
        straight = array[(..., *self._steps())]
        return straight.transpose((*range(lead), *(lead + self.order.index(axis) for axis in range(3))))

    def where(self, box: Box) -> Box:
        """Which voxels of the stored array a box of the network's array is."""
        found = [slice(0, 0)] * 3
        for part, axis, flip in zip(box, self.order, self.flipped, strict=True):
            length = self.shape[axis]
            found[axis] = slice(length - part.stop, length - part.start) if flip else part
        return (found[0], found[1], found[2])

    def turned(self, box: Box) -> Box:
        """Which voxels of the network's array a box of the stored array is."""
        a, b, c = (
            slice(self.shape[axis] - box[axis].stop, self.shape[axis] - box[axis].start) if flip else box[axis]
            for axis, flip in zip(self.order, self.flipped, strict=True)
        )
        return (a, b, c)

    def spacing(self, stored_kji: tuple[float, float, float]) -> tuple[float, float, float]:
        """Spacing along the network's axes, mm."""
        a, b, c = (stored_kji[axis] for axis in self.order)
        return (a, b, c)

    def _steps(self) -> tuple[Any, ...]:
        return tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)


def axes_of(grid: Grid, pipeline: Pipeline) -> ArrayAxes:
    """The turn that a pipeline wants for arrays on a grid.

    With orientation ``"native"`` axes stay as stored; with a code such as ``"RAS"`` they become the nearest patient
    axes, there i to the right, j to the front, k to the head. The pipeline's transpose follows.
    """
    order, flipped = (0, 1, 2), (False, False, False)
    if pipeline.orientation != "native":
        axes, signs = parse_orientation(orientation_code(grid))
        wanted_axes, wanted_signs = parse_orientation(pipeline.orientation)
        sources = [axes.index(patient) for patient in reversed(wanted_axes)]
        turned = [signs[source] != sign for source, sign in zip(sources, reversed(wanted_signs), strict=True)]
        order = (2 - sources[0], 2 - sources[1], 2 - sources[2])
        flipped = (turned[0], turned[1], turned[2])
    a, b, c = pipeline.transpose
    return ArrayAxes((order[a], order[b], order[c]), (flipped[a], flipped[b], flipped[c]), grid.shape)
