"""What the samples of one region say about its structures: how large they are, and how many samples mark a voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...analysis.diameters import axial_axis
from ...analysis.volume_range import MM3_PER_ML
from ...core.labels import Label
from ...core.volume import Grid
from ...files.scan_remarks import tells_pixel_size, tells_voxel_size
from .samples_result import StructureSize
from .sizes import Diameter, SampleSize, sample_sizes, size_interval

Channels = NDArray[np.uint8]


@dataclass
class RegionMeasure:
    """Takes samples without specks, one after the other.

    Args:
        grid: the model's, on which they lie.
        lengths, thickness: whether the scan tells how large pixels, and how thick slices are.
    """

    grid: Grid
    classes: int
    lengths: bool
    thickness: bool
    _votes: NDArray[np.uint16] = field(init=False)
    _drawn: list[tuple[SampleSize, ...]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._votes = np.zeros((self.classes - 1, *self.grid.shape), dtype=np.uint16)

    @classmethod
    def create(cls, grid: Grid, classes: int, remarks: Sequence[str]) -> RegionMeasure:
        """``remarks``: those of the scan's reader."""
        return cls(grid, classes, tells_pixel_size(remarks), tells_voxel_size(remarks))

    def add(self, channels: Channels) -> None:
        """One more sample: label channels (k, j, i)."""
        for channel, votes in enumerate(self._votes, start=1):
            votes += channels == channel
        self._drawn.append(self._sizes_of(channels))

    def shares(self) -> list[NDArray[np.float32]]:
        """Share of the samples that mark a voxel, a structure."""
        return [votes.astype(np.float32) / np.float32(len(self._drawn)) for votes in self._votes]

    def sizes(self, label_set: Sequence[Label], answer: Channels, stretch: float) -> list[StructureSize]:
        """One a structure; ``answer`` are the label channels of the mean answer."""
        voxel_ml = self.grid.voxel_volume_mm3 / MM3_PER_ML
        found = []
        drawn_sizes = zip(*self._drawn, strict=True)
        for label, own, drawn, votes in zip(label_set, self._sizes_of(answer), drawn_sizes, self._votes, strict=True):
            interval = size_interval([size.voxels for size in drawn], stretch=stretch)
            axial = _diameter(own.axial_mm, [size.axial_mm for size in drawn]) if self.lengths else None
            longest = _diameter(own.longest_mm, [size.longest_mm for size in drawn]) if self.thickness else None
            place, marking = self._most_marked(votes)
            found.append(
                StructureSize(label.value, label.name, interval, voxel_ml, drawn, axial, longest, place, marking)
            )
        return found

    def _most_marked(self, votes: NDArray[np.uint16]) -> tuple[tuple[float, float, float], int]:
        """Where most samples mark a structure, RAS mm, and how many do; the first voxel of several."""
        k, j, i = np.unravel_index(int(votes.argmax()), votes.shape)
        r, a, s, _ = (float(x) for x in self.grid.ijk_to_ras @ np.array([i, j, k, 1.0]))
        return (r, a, s), int(votes.max())

    def _sizes_of(self, channels: Channels) -> tuple[SampleSize, ...]:
        spacing = self.grid.spacing_kji if self.lengths else None
        return sample_sizes(channels, self.classes, spacing, axial_axis(self.grid))


def _diameter(answer: float, drawn: Sequence[float]) -> Diameter:
    return Diameter(answer, size_interval(drawn))
