"""The maps of a result on the input's grid, painted slab by slab so that no probability volume is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.volume_range import VoxelRange
from ..analysis.wholes import WholeCount, belonging_entropy
from ..arrays.heads import Belief, Head
from ..core.resampling import resample_slab
from .disagreement import widened
from .network_regions import Region

if TYPE_CHECKING:
    from ..core.labels import Label
    from ..packages.whole import Whole
    from .following import Placement

Float32 = NDArray[np.float32]
SLAB_VOXELS = 2 * 1024 * 1024


class Canvas:
    """Label map, uncertainty and entropy of a run; regions are painted one after the other.

    Not analysed is not certain: until a region is painted its uncertainty and entropy are NaN.

    Where regions overlap the more probable foreground wins; between two backgrounds the one nearer to a structure.

    Args:
        shape: (k, j, i) of the input.
        classes: channels of the package, background included.
        sure: q of the volume range, 0.95 unless the package brings one that was fitted on tuning cases.
        overlapping: whether two regions share voxels, which costs one more float32 volume.
        keep_probabilities: also keep (C, k, j, i) float32; voxels outside the region are background.
        wholes, labels: what several structures make up, and all labels of the package, to count it.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        sure: float = 0.95,
        overlapping: bool = False,
        keep_probabilities: bool = False,
        wholes: Sequence[Whole] = (),
        labels: Sequence[Label] = (),
    ) -> None:
        self.sure = sure
        self.labels = np.zeros(shape, dtype=np.uint8)
        self.uncertainty = np.full(shape, np.nan, dtype=np.float32)
        self.entropy = np.full(shape, np.nan, dtype=np.float32)
        self.ranges: dict[int, VoxelRange] = {}
        self.wholes: dict[tuple[str, str], WholeCount] = {}
        self._channels = {whole.name: whole.channels(labels) for whole in wholes}
        self.overlaps: dict[int, float] = {}
        self._score = np.full(shape, -1.0, dtype=np.float32) if overlapping else None
        self.probabilities: Float32 | None = None
        if keep_probabilities:
            self.probabilities = np.zeros((classes, *shape), dtype=np.float32)
            self.probabilities[0] = 1.0

    def paint(self, region: Region, blended: Float32, head: Head, other: Placement | None = None) -> None:
        """Bring a region's blended channels (C, k, j, i) from the model's grid to the input's and read them there.

        Linear interpolation acts on the blended channels; argmax and uncertainty come after it. What another placement
        of the region's window says differently makes the map more uncertain and the volume range wider.
        """
        values = np.array([0, *(label.value for label in region.label_set)], dtype=np.uint8)
        counts = np.zeros((len(values), 2), dtype=np.int64)
        others = np.zeros_like(counts)
        tallies = {name: _WholeTally(list(channels), self.sure) for name, channels in self._channels.items()}
        masses = np.zeros((len(values), 3))
        for low, high in _slabs(region.grid.shape):
            channels = resample_slab(blended, region.model_grid, region.grid, low, high, "linear")
            belief = head.belief(channels)
            inside = None if region.inside is None else region.inside[low:high]
            counts += count_voxels(belief.probability, inside, self.sure)
            if other is not None:
                second, seen = _read(other, head, region, low, high)
                where = seen if inside is None else seen & inside
                others += count_voxels(second.probability, where, self.sure)
                for tally in tallies.values():
                    tally.add_other(second.probability, where)
                belief = widened(belief, second, seen)
            for tally in tallies.values():
                tally.add(belief.probability, inside)
            winners = belief.winners
            masses += overlap_masses(belief.probability, winners, inside)
            self.put(_within(region.slices, low, high), values[winners], belief, inside)
        if other is not None:
            counts = np.stack([np.minimum(counts[:, 0], others[:, 0]), np.maximum(counts[:, 1], others[:, 1])], axis=1)
        for label, (sure, possible) in zip(region.label_set, counts[1:].tolist(), strict=True):
            self.ranges[label.value] = VoxelRange(sure, possible)
        for name, tally in tallies.items():
            self.wholes["" if region.roi is None else region.name, name] = tally.count(values, other is not None)
        self.expect(region, masses)

    def expect(self, region: Region, masses: NDArray[np.float64]) -> None:
        """Keep the Dice that the probabilities of a region's labels expect, from the ``overlap_masses`` of its slabs.

        2 * (sum of p where the label won) / (voxels where it won + sum of p): the expected overlap over the expected
        sizes. It holds as far as the probabilities do.
        """
        for label, (voxels, own, total) in zip(region.label_set, masses[1:].tolist(), strict=True):
            self.overlaps[label.value] = 2.0 * own / (voxels + total) if voxels else float("nan")

    def put(
        self, where: tuple[slice, ...], labels: NDArray[np.uint8], belief: Belief, inside: NDArray[np.bool_] | None
    ) -> None:
        """Put a block's labels and maps (...) in their place on the input, where ``inside`` (everywhere when None)."""
        wins = np.ones(labels.shape, bool) if inside is None else inside
        if self._score is not None:
            # any foreground beats any background: probabilities are at most 1
            score = belief.probability[1:].max(axis=0) + (labels != 0)
            wins = wins & (score > self._score[where])
            np.copyto(self._score[where], score, where=wins)
        np.copyto(self.labels[where], labels, where=wins)
        np.copyto(self.uncertainty[where], belief.uncertainty, where=wins)
        np.copyto(self.entropy[where], belief.entropy, where=wins)
        if self.probabilities is not None:
            np.copyto(self.probabilities[(slice(None), *where)], belief.probability, where=wins)


class _WholeTally:
    """Counts one whole slab by slab: the probability of its channels added up."""

    def __init__(self, channels: list[int], sure: float) -> None:
        self._channels, self._sure = channels, sure
        self._range, self._other = np.zeros(2, np.int64), np.zeros(2, np.int64)
        self._entropy, self._voxels = 0.0, 0

    def add(self, probability: Float32, inside: NDArray[np.bool_] | None) -> None:
        """(C, ...) of a slab."""
        whole = probability[self._channels].sum(axis=0)
        self._range += count_voxels(whole[np.newaxis], inside, self._sure)[0]
        outline = np.isin(probability.argmax(axis=0), self._channels)
        outline = outline if inside is None else outline & inside
        self._entropy += float(belonging_entropy(whole[outline]).sum(dtype=np.float64))
        self._voxels += int(np.count_nonzero(outline))

    def add_other(self, probability: Float32, inside: NDArray[np.bool_]) -> None:
        """The same of another placement of the window."""
        self._other += count_voxels(probability[self._channels].sum(axis=0)[np.newaxis], inside, self._sure)[0]

    def count(self, values: NDArray[np.uint8], two: bool) -> WholeCount:
        """What was counted; ``values`` are the label values of the channels."""
        low, high = (int(n) for n in self._range)
        if two:
            low, high = min(low, int(self._other[0])), max(high, int(self._other[1]))
        parts = tuple(int(values[channel]) for channel in self._channels)
        return WholeCount(parts, VoxelRange(low, high), self._entropy, self._voxels)


def _read(other: Placement, head: Head, region: Region, low: int, high: int) -> tuple[Belief, NDArray[np.bool_]]:
    """What another placement says about a slab of a region, and where it says anything."""
    grid = other.region.model_grid
    channels = resample_slab(other.channels, grid, region.grid, low, high, "linear", float("nan"))
    seen = np.isfinite(channels[0])
    return head.belief(np.where(seen, channels, np.float32(0.0))), seen


def _slabs(shape: tuple[int, int, int]) -> list[tuple[int, int]]:
    depth = max(1, SLAB_VOXELS // (shape[1] * shape[2]))
    return [(low, min(low + depth, shape[0])) for low in range(0, shape[0], depth)]


def _within(slices: tuple[slice, slice, slice], low: int, high: int) -> tuple[slice, ...]:
    first = slices[0].start
    return (slice(first + low, first + high), *slices[1:])


def count_voxels(probability: Float32, inside: NDArray[np.bool_] | None, sure: float) -> NDArray[np.int64]:
    """(C, 2) voxels of a slab with P > q and P > 1 - q."""
    counts = np.empty((len(probability), 2), dtype=np.int64)
    for channel, row in zip(probability, counts, strict=True):
        for column, limit in enumerate((sure, 1.0 - sure)):
            over = channel > np.float32(limit)
            row[column] = np.count_nonzero(over if inside is None else over & inside)
    return counts


def overlap_masses(
    probability: Float32, winners: NDArray[np.integer[Any]], inside: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """(C, 3) of a slab: voxels that a channel won, the sum of its probability there, and everywhere."""
    masses = np.empty((len(probability), 3))
    for number, channel in enumerate(probability):
        own = winners == number if inside is None else (winners == number) & inside
        total = channel.sum(dtype=np.float64) if inside is None else channel[inside].sum(dtype=np.float64)
        masses[number] = np.count_nonzero(own), channel[own].sum(dtype=np.float64), total
    return masses
