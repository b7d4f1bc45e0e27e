"""What a run tells about its own quality, and the forecast that its package makes of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..analysis.quality.forecast import PredictedQuality, forecast_quality, with_forecast
from ..analysis.quality.measures import RunMaps, RunPart
from ..analysis.quality.quality_model import QualityModel, read_quality_model
from ..analysis.quality.stability import StabilityModel, read_stability_model, tell_stability
from ..analysis.rows import StructureRow
from ..analysis.verdict import is_outside
from ..arrays.heads import Head
from ..core.progress import IsCancelled, never
from ..core.volume import Volume
from ..packages.package_fingerprint import network_digest
from .engine import Engine
from .mild_copies import agreements
from .network_regions import Region, prepare_region
from .network_run import run_network
from .result import SegmentationResult

if TYPE_CHECKING:
    from ..packages.package import Package
    from .following import Placement


@dataclass(frozen=True)
class QualityAssessor:
    """``model`` is None where the package has no forecast for these weights run in this way.

    Attributes:
        stability: what the package knows instead where it has seen too few labels for a forecast.
        copies: whether each region is also run on mildly disturbed copies.
        agreements: what they gave, by label value.
    """

    package: Package
    engine: Engine
    model: QualityModel | None
    copies: bool = False
    agreements: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    stability: StabilityModel | None = None

    @classmethod
    def create(cls, package: Package, engine: Engine, copies: bool | None = None) -> QualityAssessor:
        """A forecast holds for the weights and the passes that it was fitted with; others have none.

        ``copies``: see above; None asks for them where the forecast needs them.
        """
        kept = package.metadata.quality
        model, stability = read_quality_model(kept), read_stability_model(kept)
        known: QualityModel | StabilityModel | None = model or stability
        same = known is not None and (known.estimator, known.passes) == (engine.estimator, engine.passes)
        if known is None or not same or known.digest != network_digest(package):
            return cls(package, engine, None, bool(copies))
        needed = stability is not None or (model is not None and model.copies)
        return cls(package, engine, model, needed if copies is None else copies, stability=stability)

    def disturb(self, volume: Volume, placed: Placement, head: Head, is_cancelled: IsCancelled = never) -> None:
        """Run a region's disturbed copies, where they are wanted, and keep how far they agree with its answer."""
        if not self.copies:
            return
        metadata, region = self.package.metadata, placed.region
        image = prepare_region(volume, region, metadata)
        spacing = None if metadata.spacing is None else region.model_grid.spacing_kji

        def run(copy: NDArray[np.float32]) -> NDArray[np.float32]:
            return run_network(copy, self.package, self.engine, head, is_cancelled=is_cancelled)

        found = agreements(image, placed.channels, run, head, spacing)
        self.agreements.update(zip((label.value for label in region.label_set), found, strict=True))

    def assess(
        self,
        result: SegmentationResult,
        regions: Sequence[Region],
        overlaps: Mapping[int, float],
        contrast: Mapping[str, Mapping[str, float]],
    ) -> SegmentationResult:
        """The result with its measures and, where there is a model, forecasts for every region and structure.

        Args:
            overlaps: the Dice that the probabilities expect, by label value.
            contrast: measures of grey values by region.
        """
        metadata = self.package.metadata
        tables = (result.structures, result.regions)
        maps = RunMaps(result.labels, result.entropy, *tables, overlaps, self.agreements)
        own, in_mm = metadata.foreground, metadata.spacing is not None
        parts = [
            RunPart(region.name, region.slices, contrast.get(region.name, {}), region.label_set, own, in_mm)
            for region in regions
        ]
        measured = tuple(maps.of_region(part) for part in parts)
        result = replace(result, measures=measured)
        outside = is_outside(result.notices)
        if self.model is not None:
            told = tuple(forecast_quality(self.model, run, outside) for run in measured)
        elif self.stability is not None:
            told = tuple(tell_stability(self.stability, run, outside) for run in measured)
        else:
            return result
        rows = {row.value: row for row in result.structures}
        for region, quality, run in zip(regions, told, measured, strict=True):
            for label, plain in zip(region.label_set, own, strict=True):
                row = rows[label.value]
                rows[label.value] = self._told(row, quality, plain.name, run.structures.get(plain.name))
        return replace(result, quality=told, structures=tuple(rows[row.value] for row in result.structures))

    def _told(
        self, row: StructureRow, quality: PredictedQuality, name: str, measures: dict[str, float] | None
    ) -> StructureRow:
        if quality.reason or measures is None or self.model is None:
            return replace(row, no_forecast=quality.reason)
        return with_forecast(row, self.model, name, measures)
