"""The main job for packages with a pipeline: regions prepared, run by every pass, and painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...analysis.agreement import Members, PairCounts, StructureAgreement
from ...analysis.intensity_fingerprint import measure
from ...analysis.volume_range import VoxelRange
from ...core.progress import IsCancelled, Progress, never, part_of, raise_if_cancelled, silent
from ...core.volume import Volume
from ..network_regions import Region
from ..provenance import Stopwatch
from ..region_merging import Canvas
from .answering import Answer, answer, slabs
from .cropping import box_around
from .engine import MemberEngine
from .looking import prepare_where
from .painting import NativePainter
from .preparing import Prepared, channels_in_order
from .reading import Reader
from .scaled_reading import reader_for

NETWORK_SHARE = 0.9
"""Share of a region's progress that the passes take; the maps take the rest."""

LOOKING_SHARE = 0.3
"""Share of a region's progress for the networks that say where to look, if there are any."""


@dataclass
class NativeRunner:
    """Runs the regions of one scan.

    Attributes:
        channels: the scan and its further images, in the network's order.
        engine: which passes run.
        canvas: what is painted.
        reader: of the package.
    """

    channels: Sequence[Volume]
    engine: MemberEngine
    canvas: Canvas
    reader: Reader
    _painter: NativePainter = field(init=False)
    _structures: list[StructureAgreement] = field(default_factory=list)
    _records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._painter = NativePainter(
            self.canvas,
            self.reader,
            self.engine.pipeline,
            self.engine.package.metadata.foreground,
            not self.engine.is_single,
        )

    @classmethod
    def create(cls, volume: Volume, others: Mapping[str, Volume], engine: MemberEngine, canvas: Canvas) -> NativeRunner:
        """Raises InputError for channels that are missing, unknown or on another grid."""
        metadata = engine.package.metadata
        channels = channels_in_order(volume, others, engine.pipeline, metadata.name)
        return cls(channels, engine, canvas, reader_for(metadata, engine))

    def run(self, region: Region, watch: Stopwatch, progress: Progress, is_cancelled: IsCancelled) -> dict[str, float]:
        """Prepare, run and paint one region. Returns the measures of its grey values, as for other packages."""
        raise_if_cancelled(is_cancelled)
        progress(0.0, f"{region.name}: preparing")
        looks = LOOKING_SHARE if self.engine.pipeline.crop_by is not None else 0.0
        with watch.stage("prepare"):
            prepared = self.prepare(region, part_of(progress, 0.0, looks), is_cancelled)
            contrast = measure(prepared.image[0])
        with watch.stage("network"):
            share = part_of(progress, looks, NETWORK_SHARE)
            found = answer(prepared, self.engine, self.reader, share, is_cancelled, self.canvas.sure)
        progress(NETWORK_SHARE, f"{region.name}: drawing the maps")
        with watch.stage("maps"):
            self.paint(region, prepared, found)
        return contrast

    def prepare(self, region: Region, progress: Progress = silent, is_cancelled: IsCancelled = never) -> Prepared:
        """What the networks see of a region. Raises as ``looking.prepare_where``."""
        return prepare_where(self.channels, region, self.engine, progress, is_cancelled)

    def paint_image(self, region: Region, prepared: Prepared, progress: Progress, is_cancelled: IsCancelled) -> None:
        """Run and paint a prepared region."""
        found = answer(prepared, self.engine, self.reader, progress, is_cancelled, self.canvas.sure)
        self.paint(region, prepared, found)

    def paint(self, region: Region, prepared: Prepared, found: Answer) -> None:
        """Into the canvas, with the structures' ranges and what the members agree about."""
        counts = self._painter.paint(region, prepared, found)
        for label, (sure, possible) in zip(region.label_set, counts[1:].tolist(), strict=True):
            self.canvas.ranges[label.value] = VoxelRange(sure, possible)
        if found.labels is not None:
            self._structures += _agreement(found.labels, prepared, region)
        self._records[region.name] = {
            "cropped_kji": [[part.start, part.stop] for part in prepared.axes.where(prepared.box)],
            "network_shape": list(prepared.back.shape),
            "network_spacing_mm": list(prepared.spacing),
        }

    def members(self) -> Members | None:
        """What several passes add to the result; None for one."""
        if self.engine.is_single:
            return None
        scan = self.channels[0]
        maps = {name: scan.with_array(array, name) for name, array in self._painter.maps.items()}
        noun = "run" if any(one.mirrored for one in self.engine.run) else "fold"
        return Members(tuple(one.name for one in self.engine.run), noun, tuple(self._structures), maps)

    def record(self) -> dict[str, Any]:
        """For the provenance: which passes ran, and what of the scan the networks saw."""
        names = [channel.name for channel in self.engine.pipeline.channels]
        return {
            "pipeline": {
                "passes": [one.name for one in self.engine.run],
                "channels": dict(zip(names, [volume.name for volume in self.channels], strict=True)),
                "regions": self._records,
            }
        }


def _agreement(labels: NDArray[np.uint8], prepared: Prepared, region: Region) -> tuple[StructureAgreement, ...]:
    """Pairwise Dice of the passes a structure, over the region."""
    counts = PairCounts(len(labels), range(1, len(region.label_set) + 1))
    inside = None if region.inside is None else prepared.axes.forward(region.inside)[prepared.box]
    for low, high in slabs(prepared):
        blocks = [np.asarray(one[low:high]) for one in labels]
        counts.add_labels(_marked(blocks if inside is None else [np.where(inside[low:high], b, 0) for b in blocks]))
    names = [label.name for label in region.label_set]
    rows = counts.structures(names, region.grid.voxel_volume_mm3)
    return tuple(replace(row, value=label.value) for row, label in zip(rows, region.label_set, strict=True))


def _marked(blocks: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """The box in which any pass marks anything: every pair of passes is compared, and most of a scan is background."""
    marked = np.zeros(blocks[0].shape, dtype=bool)
    for block in blocks:
        marked |= block != 0
    box = box_around(marked)
    return [block[box] for block in blocks]
