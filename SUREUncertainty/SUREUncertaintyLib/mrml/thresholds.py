"""From which uncertainty on a map of a result is drawn at first."""

from __future__ import annotations

from ..analysis.own_threshold import matching_threshold
from ..core.volume import Volume
from ..inference.result import SegmentationResult


def threshold_for(result: SegmentationResult, kind: str, volume: Volume) -> float:
    """The package's threshold for the primary kind of uncertainty; for others that which colours the same volume."""
    if kind == result.uncertainty_kind:
        return result.threshold
    return matching_threshold(result.uncertainty.array, result.threshold, volume.array)
