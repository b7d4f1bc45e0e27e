"""The place of one scan among the scans of a reference table that a model package carries.

The table holds S of scans that the shipped weights were not trained on; a new scan is compared with them only when it
was scored by the same weights with the same preprocessing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.dataclass_json import from_json, to_json
from .auv import AuvRange, auv_range, mean_scale
from .image_measures import MeasurePlace, places

SCHEMA = "sure-difficulty-reference/1"
FEWEST = 10
HARD = 0.9
UNCOMPARABLE = (
    "How hard this scan is for the model cannot be said: it is outside of the scans that it could be compared with."
)
FOUND = {
    "valid": "finds",
    "uninformative": "does not reliably find",
    "inverted": "points the wrong way for",
}
"""What each status of a damage test means, in the order in which it is told."""


@dataclass(frozen=True)
class CaseDifficulty:
    """How hard one scan, or one region of it, is for a model.

    Attributes:
        region: name of the region, ``"scan"`` for the whole.
        scale: S, the mean over ``scales`` by structure; NaN where undefined.
        harder_than, count: of the reference scans.
        auv: 1 = as hard as the hardest of them, clipped to 0..1; ``outside`` when S lies outside their range
            or the scan outside of what the model knows, so that there is no comparison.
        because: what is unusual about the scan, in words.
        measures: noise, sharpness, size and what is cut off, each among those of the reference scans.
        others: S of the reference scans, the hardest first. caution: what is known about the score's worth.
    """

    region: str
    scale: float
    scales: dict[str, float]
    harder_than: int
    count: int
    auv: float
    outside: bool
    because: tuple[str, ...] = ()
    measures: tuple[MeasurePlace, ...] = ()
    others: tuple[float, ...] = ()
    caution: str = ""

    @property
    def sentence(self) -> str:
        """For people; it speaks of the model, never of a bad scan."""
        if not math.isfinite(self.scale):
            return "How hard this scan is for the model could not be measured."
        if self.outside:
            return UNCOMPARABLE
        text = f"For this model, it is harder than {self.harder_than} of {self.count} scans that it was not trained on"
        if self.because:
            text += ": " + "; ".join(self.because)
        elif self.harder_than >= HARD * self.count:
            text += "; noise, blur and size do not explain why"
        return text + "."

    @property
    def summary(self) -> str:
        """The place in a few words, for a cell of a table."""
        if not math.isfinite(self.scale) or self.outside:
            return ""
        return "; ".join([f"harder than {self.harder_than} of {self.count}", *self.because])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON with the sentence; NaN becomes None, as does a comparison that does not hold."""
        document = {**to_json(self), "sentence": self.sentence}
        return document | ({"harder_than": None, "auv": None} if self.outside else {})

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CaseDifficulty:
        """The inverse of ``to_json``; a place that was not told, being outside, is the first."""
        return from_json(cls, {**document, "harder_than": document["harder_than"] or 0})


@dataclass(frozen=True)
class Reference:
    """A reference table. ``digest`` is that of ``DifficultyTable``: weights, preprocessing and toggles of S."""

    digest: str
    power: int
    center: str
    scales: tuple[float, ...]
    measures: tuple[dict[str, float], ...]
    caution: str = ""

    @property
    def range(self) -> AuvRange:
        """Of S."""
        return auv_range(self.scales)

    def place(self, region: str, scales: Mapping[str, float], measures: Mapping[str, float]) -> CaseDifficulty:
        """Compare one scan."""
        scale = mean_scale(scales.values())
        harder = sum(scale < other for other in self.scales) if math.isfinite(scale) else 0
        auv, outside = self.range.place(scale)
        placed = places(measures, self.measures)
        return CaseDifficulty(
            region=region,
            scale=scale,
            scales=dict(scales),
            harder_than=harder,
            count=len(self.scales),
            auv=auv,
            outside=outside,
            because=tuple(place.words for place in placed if place.words),
            measures=placed,
            others=tuple(sorted(self.scales)),
            caution=self.caution,
        )


def read_reference(document: Mapping[str, Any] | None) -> Reference | None:
    """The reference that a package's metadata describe; None without one, or with one that is not understood."""
    if document is None or document.get("schema") != SCHEMA:
        return None
    try:
        return Reference(
            digest=str(document["digest"]),
            power=int(document["power"]),
            center=str(document["center"]),
            scales=tuple(float(scan["scale"]) for scan in document["scans"]),
            measures=tuple(dict(scan["measures"]) for scan in document["scans"]),
            caution=caution(document.get("gate")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def caution(gate: Mapping[str, Any] | None) -> str:
    """What the gate found out about the score on the reference scans, in one sentence."""
    if not gate:
        return "Nobody has tested on damaged scans what this score is worth."
    found = {words: _kinds(gate, status) for status, words in FOUND.items()}
    parts = [f"{words} {kinds}" for words, kinds in found.items() if kinds]
    return f"Copies of those scans that were damaged on purpose: the score {'; it '.join(parts)} (AUROC, chance 0.5)."


def _kinds(gate: Mapping[str, Any], status: str) -> str:
    tests = [test for test in gate["damage"] if test["status"] == status and test["auroc"] is not None]
    return ", ".join(f"{test['kind']} ({test['auroc']:.2f})" for test in tests)
