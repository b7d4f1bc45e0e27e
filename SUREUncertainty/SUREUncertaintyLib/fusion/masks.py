"""Outlines of one scan by several readers, models or folds: read onto the scan, and compared in what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.volume import Volume
from ..files.reading import read_labels
from ..files.segment_reading import read_segmentation
from .class_names import HIGHEST, Naming, unnamed
from .grid_match import on_scan


@dataclass(frozen=True, eq=False)
class Mask:
    """One outline: uint8 labels (k, j, i) on the scan, the values in it, and the names that its file gives them."""

    name: str
    array: NDArray[np.uint8]
    values: frozenset[int]
    names: Mapping[int, str]


def read_mask(path: Path, name: str, scan: Volume) -> Mask:
    """Read one label map onto the scan's voxels.

    Raises:
        InputError: it is no label map, lies on other voxels, or holds values above 255.
    """
    names: dict[int, str] = {}
    if path.name.lower().endswith(".seg.nrrd"):
        volume, segments = read_segmentation(path)
        names = {segment.value: segment.name for segment in segments}
    else:
        volume = read_labels(path)
    values = frozenset(int(value) for value in np.unique(volume.array)) - {0}
    if values and max(values) > HIGHEST:
        raise InputError(
            f"The mask {name} holds the label value {max(values)}; up to {HIGHEST} can be used. Renumber its labels."
        )
    array = on_scan(volume, scan).array.astype(np.uint8, copy=False)
    return Mask(name, array, values, names)


def naming_of(masks: Sequence[Mask], given: Naming | None) -> Naming:
    """What the label values of all masks mean.

    Raises:
        InputError: nothing is marked anywhere, two masks number or name their labels differently, or a mask holds a
            value that ``given`` does not name.
    """
    found = sorted(frozenset[int]().union(*(mask.values for mask in masks)))
    if not found:
        raise InputError("None of the masks marks anything, so there is nothing to compare. Check that they are right.")
    own = _own_names(masks)
    if given is not None:
        _require_named(masks, given)
        return given
    _require_common(masks)
    named = unnamed(found)
    return Naming({value: own.get(value, name) for value, name in named.names.items()}, source="the masks")


def _own_names(masks: Sequence[Mask]) -> dict[int, str]:
    """Names from the files; the same value must not be called differently, nor one name stand for two values."""
    first: dict[int, tuple[str, str]] = {}
    for mask in masks:
        for value, name in mask.names.items():
            known = first.setdefault(value, (name, mask.name))
            if known[0] != name:
                raise InputError(
                    f"The label {value} is '{known[0]}' in {known[1]}, but '{name}' in {mask.name}. "
                    "Number the structures alike in all masks, and give them the same names."
                )
    return {value: name for value, (name, _) in first.items()}


def _require_named(masks: Sequence[Mask], given: Naming) -> None:
    for mask in masks:
        other = sorted(mask.values - set(given.names))
        if other:
            known = ", ".join(f"{value}={name}" for value, name in given.names.items())
            raise InputError(
                f"The mask {mask.name} holds the label {_listed(other)}, which {given.source} does not name ({known}). "
                "Name it too, or renumber the mask."
            )


def _require_common(masks: Sequence[Mask]) -> None:
    """Two masks without one label in common are numbered differently, as with 1 and 255 for the same structure."""
    marked = [mask for mask in masks if mask.values]
    for other in marked[1:]:
        if not other.values & marked[0].values:
            raise InputError(
                f"The masks {marked[0].name} (label {_listed(sorted(marked[0].values))}) and {other.name} "
                f"(label {_listed(sorted(other.values))}) have no label in common. Number the structures alike in all "
                "masks, or say with --labels what each value is."
            )


def _listed(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))
