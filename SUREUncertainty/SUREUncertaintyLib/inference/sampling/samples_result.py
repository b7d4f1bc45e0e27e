"""What drawing samples adds to a result, all of it on the input's grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...core.latent_levels import LatentLevel
from ...core.volume import Volume
from .sizes import SizeInterval


@dataclass(frozen=True)
class SamplingOptions:
    """What to draw.

    Attributes:
        count: samples behind the maps; sizes come from at least 100.
        seed: sample k is a function of seed and k alone.
        levels: levels that are drawn, 0 the finest; None for all. The others stay at their mean.
        level_maps: also a map a level, with all others at their mean (``count`` more samples a level).
        keep_samples: keep the label maps of the samples, a byte a voxel and sample.
        cache_mb: encodings of windows that are kept instead of being made again.
    """

    count: int = 20
    seed: int = 0
    levels: tuple[int, ...] | None = None
    level_maps: bool = False
    keep_samples: bool = False
    cache_mb: float = 1024.0


@dataclass(frozen=True)
class StructureSize:
    """Size of a structure over the samples; ``interval`` in voxels of the model's grid."""

    value: int
    name: str
    interval: SizeInterval
    voxel_ml: float

    @property
    def ml(self) -> tuple[float, float, float]:
        """Median, low and high end of the 90 % interval, ml."""
        return (
            self.interval.median * self.voxel_ml,
            self.interval.low * self.voxel_ml,
            self.interval.high * self.voxel_ml,
        )


@dataclass(frozen=True, eq=False)
class Sampling:
    """Samples of a segmentation and what they say together.

    Attributes:
        maps: ``mutual_information``, ``fg_variance``, ``class_variance`` (mean over structures) by name; predictive
            entropy is the result's own.
        levels: mutual information that each level makes alone, finest first; empty unless asked for.
        scales: what each level of the network is, finest first; empty in results of earlier versions.
        bands: by structure: 1 inside its 10 % contour, 2 inside 50 %, 3 inside 90 %.
        samples: label maps in the result's values; empty unless asked for.
        most_different: numbers of the samples that differ most; empty without kept samples.
    """

    options: SamplingOptions
    maps: Mapping[str, Volume]
    levels: tuple[Volume, ...] = ()
    bands: Mapping[str, Volume] = field(default_factory=dict)
    samples: tuple[Volume, ...] = ()
    most_different: tuple[int, ...] = ()
    sizes: tuple[StructureSize, ...] = ()
    scales: tuple[LatentLevel, ...] = ()
