"""What a person's own scans look like, as far as a recipe for them depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.labels import Label
from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..core.volume import Volume
from ..files.reading import read_labels
from ..files.segment_reading import read_segmentation
from .own_cases import Pair

MOST_STRUCTURES = 30


@dataclass(frozen=True)
class OwnFacts:
    """Facts of a set of pairs.

    Attributes:
        labels: values in the files and their names, background left out; value 7 may be the only one.
        spacing: median spacing along (R, A, S), mm.
        box_mm: the largest box around all structures of a case along (R, A, S), mm.
    """

    cases: int
    labels: tuple[Label, ...]
    spacing: tuple[float, float, float]
    box_mm: tuple[float, float, float]


def facts_of(pairs: Sequence[Pair], progress: Progress = silent, is_cancelled: IsCancelled = never) -> OwnFacts:
    """Read every label map once.

    Raises:
        InputError: a file cannot be read, a label map is empty, or there are too many structures. Cancelled.
    """
    known: dict[int, Label] = {}
    spacings, boxes = [], []
    for number, pair in enumerate(pairs):
        raise_if_cancelled(is_cancelled)
        progress(number / len(pairs), f"looking at {pair.label.name}")
        volume, named = _read(pair)
        values = [int(value) for value in np.unique(volume.array) if value]
        if not values:
            raise InputError(f"The label map {pair.label.name} is empty. Draw the structures, or leave the scan out.")
        known |= {value: named.get(value, Label(value, f"Structure {value}")) for value in values}
        spacings.append(_in_ras(volume, np.asarray(volume.grid.spacing)))
        boxes.append(_in_ras(volume, _box(volume)))
    if len(known) > MOST_STRUCTURES:
        raise InputError(
            f"The label maps hold {len(known)} different values; at most {MOST_STRUCTURES} structures are expected. "
            "Perhaps these are scans and not label maps: check the order of the pairs."
        )
    spacing, box = np.median(spacings, axis=0), np.max(boxes, axis=0)
    return OwnFacts(len(pairs), tuple(known[value] for value in sorted(known)), _triple(spacing), _triple(box))


def _read(pair: Pair) -> tuple[Volume, dict[int, Label]]:
    if pair.label.name.endswith(".seg.nrrd"):
        volume, labels = read_segmentation(pair.label)
        return volume, {label.value: label for label in labels}
    return read_labels(pair.label), {}


def _box(volume: Volume) -> np.ndarray:
    """Edge lengths of the box around all structures along (i, j, k), mm."""
    sizes = []
    for axis in (2, 1, 0):
        others = tuple(other for other in range(3) if other != axis)
        used = np.flatnonzero((volume.array != 0).any(axis=others))
        sizes.append(used[-1] - used[0] + 1)
    return np.asarray(sizes) * np.asarray(volume.grid.spacing)


def _in_ras(volume: Volume, along_ijk: np.ndarray) -> np.ndarray:
    """Lengths along the array's axes as lengths along the nearest of R, A, S."""
    cosines = np.abs(np.reshape(volume.grid.direction, (3, 3)))
    order = [int(np.argmax(cosines[axis])) for axis in range(3)]
    return along_ijk[order] if sorted(order) == [0, 1, 2] else np.full(3, float(np.max(along_ijk)))


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    r, a, s = (float(value) for value in values)
    return (r, a, s)
