"""Paints an answer into the maps of a run, on the voxels that the scan was stored with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...analysis.members import MemberMaps
from ...arrays.heads import Belief, normalised_entropy
from ...core.labels import Label
from ...packages.pipeline import Pipeline
from ..network_regions import Region
from ..region_merging import Canvas, count_voxels, overlap_masses
from .answering import Answer, Slab, slabs
from .axes import Box
from .joining import Joined, joined_slab
from .label_map import label_map
from .preparing import Prepared
from .reading import Reader

Float32 = NDArray[np.float32]
Counts = NDArray[np.int64]


class NativePainter:
    """Brings answers to a canvas, and the members' maps to two more volumes where there are several passes.

    What was not analysed stays NaN in them.
    """

    def __init__(
        self, canvas: Canvas, reader: Reader, pipeline: Pipeline, labels: Sequence[Label], several: bool
    ) -> None:
        """``labels``: the package's own structures; ``several``: whether passes may disagree."""
        shape = canvas.labels.shape
        self._canvas, self._reader, self._pipeline = canvas, reader, pipeline
        self._labels = labels
        self.maps: dict[str, Float32] = {}
        if several:
            names = ("expected_entropy", "mutual_information")
            self.maps = {name: np.full(shape, np.nan, dtype=np.float32) for name in names}

    def paint(self, region: Region, prepared: Prepared, answer: Answer) -> Counts:
        """Paint a region, slab by slab.

        Returns:
            (labels, 2) voxels in which each label is nearly certain, and cannot be ruled out; without those that became
            background because they belong to a smaller part of a structure.
        """
        if answer.joined is not None:
            return self._paint_joined(region, prepared, answer.joined)
        values = np.array([0, *(label.value for label in region.label_set)], dtype=np.uint8)
        counts = np.zeros((len(values), 2), dtype=np.int64)
        masses = np.zeros((len(values), 3))
        whole = label_map(prepared, answer, self._reader, self._pipeline)
        for number, slab in enumerate(slabs(prepared)):
            channels = prepared.back.slab(answer.channels, *slab)
            read = self._reader.labels(channels)
            final = read if whole is None else whole[slab[0] : slab[1]]
            belief, maps = self._read(channels, answer, number)
            stored = _stored_box(prepared, slab)
            inside = None if region.inside is None else region.inside[stored]
            winners = prepared.axes.backward(final)
            belief = _turned(belief, prepared)
            counts += count_voxels(belief.probability, _counted(read, final, prepared, inside), self._canvas.sure)
            masses += overlap_masses(belief.probability, winners, inside)
            where = _on_scan(region, stored)
            self._canvas.put(where, values[winners], belief, inside)
            self._put_maps(maps, prepared, where, inside)
        self._canvas.expect(region, masses)
        return counts

    def _paint_joined(self, region: Region, prepared: Prepared, joined: Joined) -> Counts:
        """The label map of several parts; ranges are counted on the network's grid and told in the scan's voxels."""
        table = np.zeros(256, dtype=np.uint8)
        own = [label.value for label in self._labels]
        table[own] = [label.value for label in region.label_set]
        for slab in slabs(prepared):
            labels = prepared.axes.backward(table[joined_slab(prepared, joined, *slab)])
            entropy = prepared.axes.backward(prepared.back.slab(joined.entropy[np.newaxis], *slab)[0])
            stored = _stored_box(prepared, slab)
            inside = None if region.inside is None else region.inside[stored]
            sure = np.stack([entropy, 1.0 - entropy]).astype(np.float32)  # which of two regions wins at a voxel
            self._canvas.put(_on_scan(region, stored), labels, Belief(sure, entropy, entropy), inside)
        self._canvas.expect(region, joined.masses[[0, *own]])
        volume = float(np.prod(prepared.spacing)) / region.grid.voxel_volume_mm3
        return np.rint(joined.counts[[0, *own]] * volume).astype(np.int64)

    def _read(self, channels: Float32, answer: Answer, number: int) -> tuple[Belief, MemberMaps | None]:
        if answer.sums is None:
            probability = self._reader.probability(channels)
            maps = None
        else:
            probability, maps = answer.sums[number].mean(), answer.sums[number].maps()
        classes = self._reader.classes(probability)
        entropy = normalised_entropy(classes) if maps is None else maps.entropy
        return Belief(classes, entropy, entropy), maps

    def _put_maps(
        self, maps: MemberMaps | None, prepared: Prepared, where: Box, inside: NDArray[np.bool_] | None
    ) -> None:
        if maps is None:
            return
        found = {"expected_entropy": maps.expected_entropy, "mutual_information": maps.mutual_information}
        for name, values in found.items():
            np.copyto(self.maps[name][where], prepared.axes.backward(values), where=True if inside is None else inside)


def _counted(
    read: NDArray[np.uint8], final: NDArray[np.uint8], prepared: Prepared, inside: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    """Voxels in stored order that count for the range of a volume; None for all."""
    removed = (read != 0) & (final == 0)
    if not removed.any():
        return inside
    kept = prepared.axes.backward(~removed)
    return kept if inside is None else kept & inside


def _turned(belief: Belief, prepared: Prepared) -> Belief:
    turn = prepared.axes.backward
    return Belief(turn(belief.probability), turn(belief.uncertainty), turn(belief.entropy))


def _stored_box(prepared: Prepared, slab: Slab) -> Box:
    """Where a slab of the cropped image lies in the stored block."""
    first, rows, columns = prepared.box
    low, high = slab
    return prepared.axes.where((slice(first.start + low, first.start + high), rows, columns))


def _on_scan(region: Region, stored: Box) -> Box:
    starts = [part.start for part in region.slices]
    a, b, c = (slice(s + part.start, s + part.stop) for s, part in zip(starts, stored, strict=True))
    return (a, b, c)
