"""What a scan over time gives: the volume of every frame, end-diastole and end-systole, the ejection fraction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..analysis.ejection_fraction import CavityVolume, Ejection
from ..analysis.verdict import USABLE, Verdict
from ..core.errors import InputError
from ..core.labels import Label
from ..core.roi import Roi
from ..core.volume_sequence import VolumeSequence
from ..inference.result import SegmentationResult


@dataclass(frozen=True)
class FrameMeasure:
    """One frame.

    Attributes:
        number: from 0.
        time_ms: since the first frame; NaN where the file does not say.
        volume: of the structure that the curve follows.
        verdict: of this frame's result on its own.
    """

    number: int
    time_ms: float
    volume: CavityVolume
    verdict: Verdict

    @property
    def is_usable(self) -> bool:
        """Whether no warning speaks against it."""
        return self.verdict.status == USABLE


@dataclass(frozen=True, eq=False)
class CineResult:
    """A segmented scan over time.

    Attributes:
        structure: what the curve follows: the cavity of a model of the heart, else the first structure.
        frames: one a frame, in the order of time.
        labels: uint8 (t, k, j, i) label maps; uncertainty: float16, the primary kind, NaN where nothing was analysed.
        end_diastole, end_systole: whole results of the frames with the largest and the smallest volume.
        phases: their numbers.
        ejection: None for models of no beating cavity, and where a frame shows none.
        why_none: a sentence where an ejection fraction was to be expected and is not given; else empty.
    """

    sequence: VolumeSequence
    structure: Label
    frames: tuple[FrameMeasure, ...]
    labels: NDArray[np.uint8]
    uncertainty: NDArray[np.float16]
    end_diastole: SegmentationResult
    end_systole: SegmentationResult
    phases: tuple[int, int]
    ejection: Ejection | None
    why_none: str = ""

    @property
    def volumes(self) -> list[float]:
        """ml of every frame."""
        return [frame.volume.volume for frame in self.frames]

    @property
    def knows_times(self) -> bool:
        """Whether the file says when each frame was taken."""
        return not math.isnan(self.frames[0].time_ms)


def require_one_region(rois: Sequence[Roi]) -> None:
    """Raise ``InputError`` for several regions."""
    if len(rois) > 1:
        raise InputError(f"A scan over time is measured in one region; {len(rois)} were given. Choose one of them.")
