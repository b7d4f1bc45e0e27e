"""Warnings about given masks and probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from ..analysis import notice_texts as texts
from ..analysis.notice_sentences import listed
from ..analysis.rows import Notice, StructureRow, UncertainRegion
from .masks import Mask
from .source_record import Source

TEXTS = {
    texts.EMPTY_MASK: (
        "Nothing is marked in: {names}. The reader or model found nothing there, or it is not the right file."
    ),
    texts.SAME_CONTENT: "The same content, and therefore counted twice: {pairs}. Check that none was given by mistake.",
    texts.LABEL_IN_SOME: (
        "Marked in some masks only: {names}. In the others the structure is absent, or has another label value."
    ),
    texts.TIED_VOTES: (
        "In {count} voxels as many masks say one thing as another. The outline that is drawn takes background "
        "there, or else the lower label value."
    ),
    texts.NOT_CHECKED: (
        "No label map lay beside {names}, so it could not be checked that its classes and axes are in the order of the "
        "scan. Compare the pictures with what the network drew."
    ),
    texts.DIFFERS_FROM_SAVED: (
        "The labels of the probabilities differ from the label map that lies beside: {names}. Where pieces were "
        "removed after the network, as nnU-Net's postprocessing does, they are here again."
    ),
    texts.REGIONS_DRAWN: (
        "The structures are regions that may overlap. The label map shows each only where no later one lies over it; "
        "volumes, ranges and agreement in the tables are those of the whole regions."
    ),
    texts.NOTHING_DRAWN: "Nothing in the outline that is drawn: {names}. No label there has the highest probability.",
    texts.MEMBERS_UNCERTAIN: (
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
        yield say(texts.EMPTY_MASK, names=listed(empty))
    same = [f"{a.name} and {b.name}" for a, b in combinations(masks, 2) if _same(a, b)]
    if same:
        yield say(texts.SAME_CONTENT, pairs=listed(same))
    some = sorted(_in_some([mask for mask in masks if mask.values]))
    if some:
        yield say(texts.LABEL_IN_SOME, names=listed([_who_marks(masks, value) for value in some]))
    if tied:
        yield say(texts.TIED_VOTES, count=tied)


def about_maps(sources: Sequence[Source], regions: bool) -> Iterator[Notice]:
    """Probability maps of the same content, and regions that may overlap."""
    same = [f"{a.name} and {b.name}" for a, b in combinations(sources, 2) if a.sha256 == b.sha256]
    if same:
        yield say(texts.SAME_CONTENT, pairs=listed(same))
    if regions:
        yield say(texts.REGIONS_DRAWN)


def about_outcome(structures: Sequence[StructureRow], places: Sequence[UncertainRegion]) -> Iterator[Notice]:
    """Structures of which nothing is drawn, and uncertain regions away from any."""
    missing = [row.name for row in structures if not row.voxels]
    if missing:
        yield say(texts.NOTHING_DRAWN, names=listed(missing))
    islands = sum(place.is_island for place in places)
    if islands:
        yield say(texts.MEMBERS_UNCERTAIN, count=islands)


def _same(one: Mask, other: Mask) -> bool:
    return bool(one.values) and one.values == other.values and np.array_equal(one.array, other.array)


def _in_some(masks: Sequence[Mask]) -> frozenset[int]:
    everywhere = frozenset.intersection(*(mask.values for mask in masks))
    return frozenset[int]().union(*(mask.values for mask in masks)) - everywhere


def _who_marks(masks: Sequence[Mask], value: int) -> str:
    names = [mask.name for mask in masks if value in mask.values]
    return f"label {value} (in {', '.join(names)})"
