"""The ``locator`` of a package: how the place of its structures is found in a whole scan."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.roi import Roi
from .metadata_fields import Fields, inner_path

SUFFIXES = (".nii.gz", ".nrrd")


@dataclass(frozen=True)
class Term:
    """One measure of the judgement: ``weight`` x (value - ``mean``) / ``scale`` joins the sum."""

    measure: str
    mean: float
    scale: float
    weight: float


@dataclass(frozen=True)
class Judgement:
    """A logistic model over measures of a fit; a fit of at least ``accept`` is believed."""

    bias: float
    terms: tuple[Term, ...]
    accept: float


@dataclass(frozen=True)
class Locator:
    """What is fitted to a scan, and what is then known.

    Attributes:
        template: image file inside the package, its background 0.
        scan: what a scan must be, for sentences: ``"a T1 scan of a whole head"``.
        boxes: around each structure of the template, in its RAS mm.
        judgement: whether a fit is believed.
    """

    template: str
    scan: str
    boxes: tuple[Roi, ...]
    judgement: Judgement


def parse_locator(fields: Fields) -> Locator:
    """Read the object ``locator`` of ``metadata.json``. Raises ``PackageError`` naming the field that is wrong."""
    boxes = tuple(_box(entry) for entry in fields.inners("boxes"))
    if len({box.name for box in boxes}) < len(boxes) or not boxes:
        fields.fail("boxes", "at least one box, each with a name of its own")
    return Locator(
        inner_path(fields, "template", *SUFFIXES), fields.text("scan"), boxes, _judgement(fields.inner("judgement"))
    )


def _box(entry: Fields) -> Roi:
    low, high = (entry.numbers(key, 3, -1e4, 1e4) for key in ("low_ras_mm", "high_ras_mm"))
    if not all(a < b for a, b in zip(low, high, strict=True)):
        entry.fail("high_ras_mm", "numbers above those of low_ras_mm")
    return Roi(entry.text("name"), (low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _judgement(fields: Fields) -> Judgement:
    terms = tuple(
        Term(
            entry.text("measure"),
            entry.number("mean", -1e6, 1e6),
            entry.number("scale", 1e-9, 1e6),
            entry.number("weight", -1e6, 1e6),
        )
        for entry in fields.inners("terms")
    )
    return Judgement(fields.number("bias", -1e6, 1e6), terms, fields.number("accept", 0.0, 1.0))
