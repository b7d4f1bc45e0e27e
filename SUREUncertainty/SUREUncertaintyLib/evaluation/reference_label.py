"""The reference label of a case, checked against its scan and the model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.labels import Label
from ..core.resampling import on_voxels_of
from ..core.volume import Volume
from ..files.reading import read_labels
from .cases import Case
from .scored_region import ScoredRegion


def read_reference(
    case: Case, image: Volume, classes: tuple[Label, ...], part: ScoredRegion | None = None
) -> NDArray[Any] | None:
    """The label map (k, j, i) on the voxels of a part of the scan, None for a case without; unknown values become 0.

    Raises:
        InputError: the file cannot be read, does not lie on the scan's grid, or holds none of the structures.
    """
    if case.label is None:
        return None
    stored = read_labels(case.label)
    reference = on_voxels_of(stored, image.grid)
    if reference is None:
        raise InputError(
            f"The label {case.label.name} does not lie on the voxels of {case.image.name}: "
            f"{_grid_text(stored)} against {_grid_text(image)}, or another place. "
            "Give the label on the grid of its scan."
        )
    values = [label.value for label in classes]
    known = np.isin(reference.array, values)
    if not known.all() and not np.isin(reference.array, [value for value in values if value]).any():
        expected = ", ".join(f"{label.value} {label.name}" for label in classes if label.value)
        raise InputError(f"The label {case.label.name} holds none of the model's structures. Expected are: {expected}.")
    labels = np.where(known, reference.array, 0)
    return labels if part is None else part.of(labels)


def _grid_text(volume: Volume) -> str:
    k, j, i = volume.grid.shape
    return f"{i} x {j} x {k} voxels of " + " x ".join(f"{side:g}" for side in volume.grid.spacing) + " mm"
