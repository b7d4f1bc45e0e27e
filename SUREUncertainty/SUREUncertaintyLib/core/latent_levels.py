"""The levels at which samples differ: what each is called, in which order maps are offered, and which carry nothing.

A level is named by the scale at which it draws, which is its stride: 8 voxels and more decide which parts belong to a
structure, 2 to 7 how far it reaches, single voxels where its rim runs. The name is no measurement of what it changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .glossary import HOW_FAR, RIM, WHICH_PARTS, Term
from .translation import Translate, tr as _
from .wording import as_title

PARTS_FROM, REACH_FROM = 8, 2
"""Smallest strides, in voxels, of the levels that decide about parts, and of those that decide how far."""

LEAST_KL = 1e-4
LEAST_SPREAD = 0.01
"""Nats, and of the prior's mean and sigma over places (``nn.hierarchical.collapse_probe``): below, a level carries
nothing."""

LEVEL_TITLE = _("{name}, {pixels} px")
SILENT_TITLE = _("{name}, {pixels} px: carries nothing")
SCALE = _("It draws at a scale of {pixels} pixels.")
SCALE_ONE = _("It draws pixel by pixel.")
SCALE_MM = _("It draws at a scale of {pixels} pixels, {mm} mm.")
SCALE_ONE_MM = _("It draws pixel by pixel, at {mm} mm.")
SILENT = _("This level of the model carries nothing: it makes no sample differ from another.")


@dataclass(frozen=True)
class LatentLevel:
    """One level of a network with latents.

    Attributes:
        number: 0 for the finest.
        pixels: voxels of the model's grid that one latent stands for, along an edge.
        mm: the same in mm; NaN where the scan does not tell the size of its voxels.
        silent: whether the level carries nothing, by the probe on tuning cases.
    """

    number: int
    pixels: int
    mm: float = math.nan
    silent: bool = False

    @property
    def term(self) -> Term:
        """Its word in the glossary."""
        if self.pixels >= PARTS_FROM:
            return WHICH_PARTS
        return HOW_FAR if self.pixels >= REACH_FROM else RIM

    def title(self, translate: Translate = str) -> str:
        """Its name with the scale, as in "Which parts, 8 px"."""
        title = translate(SILENT_TITLE if self.silent else LEVEL_TITLE)
        return title.format(name=as_title(translate(self.term.name)), pixels=self.pixels)

    def sentence(self, translate: Translate = str) -> str:
        """What its map shows and at which scale."""
        if self.silent:
            return translate(SILENT)
        return f"{translate(self.term.meaning)} {self._scale(translate)}"

    def _scale(self, translate: Translate) -> str:
        known = math.isfinite(self.mm)
        if self.pixels == 1:
            scale = translate(SCALE_ONE_MM if known else SCALE_ONE)
        else:
            scale = translate(SCALE_MM if known else SCALE)
        return scale.format(pixels=self.pixels, mm=f"{self.mm:.1f}")


def described_levels(count: int, known: Sequence[LatentLevel] = ()) -> tuple[LatentLevel, ...]:
    """A description of each of ``count`` levels, finest first; of results that say nothing, strides 1, 2, 4 ..."""
    found = {level.number: level for level in known}
    return tuple(found.get(number, LatentLevel(number, 2**number)) for number in range(count))


def coarse_first(levels: Iterable[LatentLevel]) -> list[LatentLevel]:
    """The order in which maps are offered: coarse to fine, and those that carry nothing last."""
    return sorted(levels, key=lambda level: (level.silent, -level.number))


def silent_sentence(levels: Sequence[LatentLevel]) -> str:
    """What a result says about levels that carry nothing; empty where each carries something."""
    silent = [f"{level.term.name} ({level.pixels} px)" for level in coarse_first(levels) if level.silent]
    if not silent:
        return ""
    if len(silent) == len(levels):
        return (
            "No level of this model carries anything: its samples do not show what readers would disagree about. "
            "Take another model for maps of uncertainty."
        )
    carry, count = ("carries", "One level") if len(silent) == 1 else ("carry", f"{len(silent)} levels")
    return (
        f"{count} of {len(levels)} of this model {carry} nothing: {', '.join(silent)}. "
        "What its samples show comes from the others."
    )


def carries_nothing(probe: Mapping[str, Any]) -> bool:
    """Whether a level is silent, from its entry of a package's ``uncertainty.probe``: no divergence between posterior
    and prior, or a prior that is the same everywhere."""
    spreads = (float(probe["mean_spread"]), float(probe["std_spread"]))
    return float(probe["kl"]) < LEAST_KL or max(spreads) < LEAST_SPREAD
