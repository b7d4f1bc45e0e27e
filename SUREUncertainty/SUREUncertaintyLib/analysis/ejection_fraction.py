"""Volumes of a beating cavity: end-diastole, end-systole, stroke volume, and an ejection fraction with its interval.

What the interval (90 %) is made of, both as logarithms of a volume, so that it stays below an ejection fraction of 1:

- the outline: the volume range of each frame (``analysis.volume_range``). Outlines of one heart err alike, both too
  wide or both too narrow, so that what counts is the difference of the two ranges and a small share of each; times one
  factor that was fitted on tuning patients;
- base and apex: whether a whole slice at either end belongs to the ventricle is decided by a person, and neither the
  outlines nor tuning slices that all show a cavity can tell. Each end slice of each frame counts whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALONE = 0.1
"""Share of a frame's outline spread that the other frame does not share: of 0.1, 0.2, 0.3, 0.5 and 1 the one with which
intervals that hold every tuning patient are narrowest."""

FEWEST_TO_SMOOTH = 8
"""Frames from which on a single frame may be an outlier: the extreme of medians of three is taken."""


@dataclass(frozen=True)
class CavityVolume:
    """A cavity in one frame, ml.

    Attributes:
        low, high: the volume range of its outline.
        ends: the volumes of the first and the last slice that show it.
    """

    volume: float
    low: float
    high: float
    ends: tuple[float, float] = (0.0, 0.0)

    @property
    def outline_spread(self) -> float:
        """Half the width of the range as a logarithm; infinite where the range begins at nothing."""
        return math.log(self.high / self.low) / 2 if self.low > 0 else math.inf

    @property
    def end_spread(self) -> float:
        """What leaving out or adding an end slice does to the volume, as shares added as independent."""
        return math.hypot(*self.ends) / self.volume if self.volume > 0 else math.inf

    @property
    def whole_range(self) -> tuple[float, float]:
        """The range of the volume with that of the end slices, ml."""
        below = math.hypot(self.volume - self.low, *self.ends)
        above = math.hypot(self.high - self.volume, *self.ends)
        return max(0.0, self.volume - below), self.volume + above


@dataclass(frozen=True)
class Ejection:
    """What two frames say: volumes in ml, the fraction and its interval (90 %), 1 for a cavity that empties."""

    end_diastolic: CavityVolume
    end_systolic: CavityVolume
    fraction: float
    low: float
    high: float

    @property
    def stroke_volume(self) -> float:
        """ml."""
        return self.end_diastolic.volume - self.end_systolic.volume


def ejection(end_diastolic: CavityVolume, end_systolic: CavityVolume, factor: float) -> Ejection:
    """The ejection fraction of two frames whose ranges begin above 0.

    Args:
        factor: fitted, see ``outline_factor``.
    """
    ratio = end_systolic.volume / end_diastolic.volume
    spread = math.hypot(
        factor * outline_spread(end_diastolic, end_systolic), end_diastolic.end_spread, end_systolic.end_spread
    )
    return Ejection(end_diastolic, end_systolic, 1 - ratio, 1 - ratio * math.exp(spread), 1 - ratio * math.exp(-spread))


def outline_spread(end_diastolic: CavityVolume, end_systolic: CavityVolume) -> float:
    """Spread of the logarithm of the volumes' ratio by their outlines, before the fitted factor."""
    ed, es = end_diastolic.outline_spread, end_systolic.outline_spread
    return math.hypot(es - ed, ALONE * ed, ALONE * es)


def outline_factor(errors: Sequence[float], spreads: Sequence[float], coverage: float = 0.9) -> float:
    """The factor on ``outline_spread`` with which a new patient's ratio is held with probability ``coverage``.

    Split conformal prediction (Vovk; Lei et al., JASA 2018): the ceil((n + 1) coverage)-th smallest needed factor of n
    tuning patients, the largest where that is more than n. Rounded up to two decimals.

    Args:
        errors: logarithms of the volumes' ratio, found minus true, one a patient.
    """
    needed = np.sort(np.abs(errors) / np.asarray(spreads))
    rank = min(len(needed), math.ceil((len(needed) + 1) * coverage - 1e-9))
    return math.ceil(100 * float(needed[rank - 1]) - 1e-9) / 100


def cavity_slices(labels: NDArray[np.uint8], value: int, axis: int) -> NDArray[np.int64]:
    """Voxels of a label in every plane across an axis of the array."""
    others = tuple(n for n in range(labels.ndim) if n != axis)
    return np.asarray((labels == value).sum(axis=others), np.int64)


def end_slices(counts: NDArray[np.int64]) -> tuple[int, int]:
    """Voxels of the first and of the last plane that shows the cavity; 0 where none does, and for the one plane of a
    single slice, which stands for nothing beside it."""
    shown = np.flatnonzero(counts)
    if len(shown) == 0 or len(counts) == 1:
        return 0, 0
    return int(counts[shown[0]]), int(counts[shown[-1]]) if len(shown) > 1 else 0


def find_phases(volumes: Sequence[float]) -> tuple[int, int]:
    """The frames of end-diastole and end-systole: those of the largest and the smallest cavity of one cycle.

    With ``FEWEST_TO_SMOOTH`` frames or more a frame counts with the median of itself and its neighbours in the cycle.
    """
    values = np.asarray(volumes, float)
    if len(values) >= FEWEST_TO_SMOOTH:
        values = np.median([np.roll(values, 1), values, np.roll(values, -1)], axis=0)
    return int(values.argmax()), int(values.argmin())
