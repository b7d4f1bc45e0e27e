"""What drawing samples adds to a result, all of it on the input's grid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...analysis.in_samples import InSamples
from ...analysis.rows import StructureRow
from ...core.latent_levels import LatentLevel
from ...core.volume import Volume
from .sizes import Diameter, SampleSize, SizeInterval
from .specks import LEAST_VOXELS


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
        least_voxels: pieces of fewer voxels beside the mean answer are taken out of sizes, contours and kept samples
            (``sampling.specks``); 1 keeps all.
    """

    count: int = 20
    seed: int = 0
    levels: tuple[int, ...] | None = None
    level_maps: bool = False
    keep_samples: bool = False
    cache_mb: float = 1024.0
    least_voxels: int = LEAST_VOXELS


@dataclass(frozen=True)
class StructureSize:
    """Size of a structure over the samples; ``interval`` in voxels of the model's grid.

    Attributes:
        drawn: the structure in every sample by its number.
        place_ras, marking: the voxel that most samples mark, mm, and how many do; None and 0 in results of earlier
            versions.
        axial, longest: diameters in mm; None where the scan does not tell lengths, or in results of earlier versions.
    """

    value: int
    name: str
    interval: SizeInterval
    voxel_ml: float
    drawn: tuple[SampleSize, ...] = ()
    axial: Diameter | None = None
    longest: Diameter | None = None
    place_ras: tuple[float, float, float] | None = None
    marking: int = 0

    @property
    def in_samples(self) -> InSamples | None:
        """In how many samples it is, and where; None in results of earlier versions."""
        if self.place_ras is None:
            return None
        holding = sum(size.voxels > 0 for size in self.drawn)
        return InSamples(len(self.drawn), holding, self.place_ras, self.marking)

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
        bands: by structure: 1 where at least 10 % of the samples mark it, 2 where 50 %, 3 where 90 %.
        samples: label maps in the result's values, by their number; empty unless asked for.
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

    def sample_ml(self, number: int) -> float:
        """Volume of all structures together in one sample, ml; NaN in results of earlier versions."""
        if not self.sizes or any(number >= len(size.drawn) for size in self.sizes):
            return math.nan
        return sum(size.drawn[number].voxels * size.voxel_ml for size in self.sizes)

    def smallest_first(self) -> tuple[int, ...]:
        """Numbers of the kept samples by the volume of all structures together; by number where it is the same, or not
        known."""
        known = [self.sample_ml(number) for number in range(len(self.samples))]
        return tuple(sorted(range(len(known)), key=lambda number: 0.0 if math.isnan(known[0]) else known[number]))

    def with_sizes(self, rows: Sequence[StructureRow]) -> tuple[StructureRow, ...]:
        """The rows of structures with longest diameters, without their ranges where the volume has none either, and
        with the number of samples that have the structure."""
        known = {size.value: size for size in self.sizes}
        return tuple(replace(row, **_sizes(row, known[row.value])) if row.value in known else row for row in rows)


def _sizes(row: StructureRow, size: StructureSize) -> dict[str, Any]:
    """Fields of a row by name."""
    found: dict[str, Any] = {"samples": len(size.drawn), "samples_with": sum(one.voxels > 0 for one in size.drawn)}
    for name, across in (("axial", size.axial), ("longest", size.longest)):
        if across is None:
            continue
        found[f"{name}_mm"] = across.answer if across.answer > 0 else math.nan
        if not math.isnan(row.volume_low_ml):
            found |= {f"{name}_low_mm": across.interval.low, f"{name}_high_mm": across.interval.high}
    return found
