"""Warnings about given masks and probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from ..analysis.notice_sentences import listed
from ..analysis.rows import Notice, StructureRow, UncertainRegion
from .masks import Mask
from .source_record import Source

TEXTS = {
    "empty-mask": (
        "Nothing is marked in: {names}. The reader or model found nothing there, or it is not the right file."
    ),
    "same-content": "The same content, and therefore counted twice: {pairs}. Check that none was given by mistake.",
    "label-in-some": (
        "Marked in some masks only: {names}. In the others the structure is absent, or has another label value."
    ),
    "tied-votes": (
        "In {count} voxels as many masks say one thing as another. The outline that is drawn takes background "
        "there, or else the lower label value."
    ),
    "not-checked": (
        "No label map lay beside {names}, so it could not be checked that its classes and axes are in the order of the "
        "scan. Compare the pictures with what the network drew."
    ),
    "differs-from-saved": (
        "The labels of the probabilities differ from the label map that lies beside: {names}. Where pieces were "
        "removed after the network, as nnU-Net's postprocessing does, they are here again."
    ),
    "regions-drawn": (
        "The structures are regions that may overlap. The label map shows each only where no later one lies over it; "
        "volumes, ranges and agreement in the tables are those of the whole regions."
    ),
    "nothing-drawn": "Nothing in the outline that is drawn: {names}. No label there has the highest probability.",
    "members-uncertain": (
        "Uncertain regions that touch no structure: {count}. Something is marked or held possible there, but not "
        "enough to be drawn."
    ),
}


def say(code: str, **facts: object) -> Notice:
    """The warning of a code with its facts."""
    return Notice(code, TEXTS[code].format(**facts))


def about_masks(masks: Sequence[Mask], tied: int) -> Iterator[Notice]:
    """Empty and doubled masks, labels that only some hold, and tied votes."""
    empty = [mask.name for mask in masks if not mask.values]
    if empty:
        yield say("empty-mask", names=listed(empty))
    same = [f"{a.name} and {b.name}" for a, b in combinations(masks, 2) if _same(a, b)]
    if same:
        yield say("same-content", pairs=listed(same))
    some = sorted(_in_some([mask for mask in masks if mask.values]))
    if some:
        yield say("label-in-some", names=listed([_who_marks(masks, value) for value in some]))
    if tied:
        yield say("tied-votes", count=tied)


def about_maps(sources: Sequence[Source], regions: bool) -> Iterator[Notice]:
    """Probability maps of the same content, and regions that may overlap."""
    same = [f"{a.name} and {b.name}" for a, b in combinations(sources, 2) if a.sha256 == b.sha256]
    if same:
        yield say("same-content", pairs=listed(same))
    if regions:
        yield say("regions-drawn")


def about_outcome(structures: Sequence[StructureRow], places: Sequence[UncertainRegion]) -> Iterator[Notice]:
    """Structures of which nothing is drawn, and uncertain regions away from any."""
    missing = [row.name for row in structures if not row.voxels]
    if missing:
        yield say("nothing-drawn", names=listed(missing))
    islands = sum(place.is_island for place in places)
    if islands:
        yield say("members-uncertain", count=islands)


def _same(one: Mask, other: Mask) -> bool:
    return bool(one.values) and one.values == other.values and np.array_equal(one.array, other.array)


def _in_some(masks: Sequence[Mask]) -> frozenset[int]:
    everywhere = frozenset.intersection(*(mask.values for mask in masks))
    return frozenset[int]().union(*(mask.values for mask in masks)) - everywhere


def _who_marks(masks: Sequence[Mask], value: int) -> str:
    names = [mask.name for mask in masks if value in mask.values]
    return f"label {value} (in {', '.join(names)})"
