"""One number a measure and structure, greater is worse: what a finished run tells about its own quality."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MEASURES = (
    "boundary_uncertainty",
    "interior_uncertainty",
    "boundary_entropy",
    "interior_entropy",
    "uncertain_share",
    "range_below",
    "range_above",
    "overlap_expected",
    "small_pieces",
    "cut_by_edge",
    "islands",
    "mean_entropy",
    "difficulty",
    "unlike_noisy",
    "unlike_blurred",
    "copies_unlike",
)
COPIES = ("unlike_noisy", "unlike_blurred", "copies_unlike")
"""Those that need two more runs of the network (``inference.mild_copies``)."""
Measures = dict[str, float]
WHOLE = "whole"


@dataclass(frozen=True)
class RunMeasures:
    """What one region of a run tells about itself.

    Attributes:
        region: its name, ``"scan"`` for the whole.
        grey: ``intensity_fingerprint.measure`` of its image.
        structures: values of ``MEASURES`` by the package's own name of a structure, of those that were found.
        volumes_ml: of those that were found; empty for a network that works in pixels.
        missing: structures that were not found.
    """

    region: str
    grey: dict[str, float]
    structures: dict[str, Measures]
    volumes_ml: dict[str, float]
    missing: tuple[str, ...] = ()

    @property
    def whole(self) -> Measures | None:
        """The means over the structures; None where one was not found."""
        if self.missing or not self.structures:
            return None
        return {name: _mean([row[name] for row in self.structures.values()]) for name in MEASURES}


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
