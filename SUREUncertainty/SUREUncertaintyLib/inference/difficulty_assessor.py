"""How hard a scan is for the model that segments it, found in the same run of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.difficulty_reference import CaseDifficulty, Reference, read_reference
from ..analysis.image_measures import measure_scan
from ..analysis.perception_scale import perception_scale
from ..analysis.rows import StructureRow
from ..arrays.heads import Head
from ..arrays.slice_axis import slices_first
from ..core.progress import IsCancelled, Progress, never, silent
from ..core.volume import Volume
from ..packages.package_fingerprint import package_fingerprint
from .engine import NATIVE, Engine, logits_and_own
from .network_regions import Region
from .one_piece import keep_largest_pieces
from .windows import blend_windows

if TYPE_CHECKING:
    from ..packages.package import Package

MEMORY_BYTES = 1 << 29
"""Logits of larger regions are not kept beside the evidence, so their difficulty stays unknown."""


@dataclass
class DifficultyAssessor:
    """Runs the network and keeps S of every structure's logit map, region by region."""

    package: Package
    engine: Engine
    head: Head
    reference: Reference
    scales: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def create(cls, package: Package, engine: Engine, head: Head) -> DifficultyAssessor | None:
        """None for a package without a reference table of its own weights, and for estimators.

        An estimator hands on probabilities that it averaged or rescaled; the table holds S of the network's own logits.
        """
        reference = read_reference(package.metadata.reference)
        if reference is None or engine.estimator != NATIVE:
            return None
        own = f"{package_fingerprint(package).digest}/{reference.power}/{reference.center}"
        return cls(package, engine, head, reference) if own == reference.digest else None

    def run(
        self, image: NDArray[np.float32], region: Region, progress: Progress = silent, is_cancelled: IsCancelled = never
    ) -> NDArray[np.float32]:
        """Blended channels as ``network_run.run_network`` gives them; logits are blended beside them and measured."""
        facts = self.package.metadata
        chosen = [n for n, label in enumerate(facts.labels) if label.value != 0]
        if 4 * image.size * len(chosen) > MEMORY_BYTES:
            chosen = []

        def both(windows: NDArray[np.float32]) -> NDArray[np.float32]:
            logits, own = logits_and_own(self.engine, windows)
            return np.concatenate([self.head.blended(logits, axis=1), own[:, chosen]], axis=1)

        channels = blend_windows(image, facts.patch, facts.overlap, both, progress, is_cancelled)
        count = len(facts.labels)
        self.scales[region.name] = {
            label.name: self._scale(channels[count + n]) for n, label in enumerate(region.label_set) if chosen
        }
        own_channels = channels[:count]
        return keep_largest_pieces(own_channels, self.head) if facts.one_piece else own_channels

    def place(self, volume: Volume, labels: NDArray[Any], regions: Sequence[Region]) -> tuple[CaseDifficulty, ...]:
        """The place of every measured region among the reference scans; ``labels`` on the scan's grid."""
        found = []
        for region in regions:
            if self.scales.get(region.name):
                part = volume.array[region.slices]
                measures = measure_scan(part, labels[region.slices], volume.grid.voxel_volume_mm3)
                found.append(self.reference.place(region.name, self.scales[region.name], measures))
        return tuple(found)

    def _scale(self, logits: NDArray[np.float32]) -> float:
        matrix = slices_first(logits, self.package.metadata.orientation)
        return perception_scale(matrix, self.reference.power, self.reference.center).value  # type: ignore[arg-type]


def with_scales(rows: Sequence[StructureRow], found: Sequence[CaseDifficulty]) -> tuple[StructureRow, ...]:
    """The structures' rows with the S of their maps, and the place of their region in words."""
    known = {name: (scale, case.summary) for case in found for name, scale in case.scales.items()}
    return tuple(
        replace(row, perception_scale=known[row.name][0], difficulty=known[row.name][1]) if row.name in known else row
        for row in rows
    )
