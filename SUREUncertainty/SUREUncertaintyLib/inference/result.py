"""What one run of the main job gives back, all of it on the input's grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.agreement import Members
from ..analysis.difficulty_reference import CaseDifficulty
from ..analysis.quality.forecast import PredictedQuality
from ..analysis.quality.run_measures import RunMeasures
from ..analysis.rows import Notice, StructureRow, UncertainRegion
from ..analysis.verdict import Verdict, verdict_of
from ..analysis.wholes import Asymmetry, WholeRow
from ..core.labels import Label
from ..core.roi import Roi
from ..core.volume import Volume
from .sampling.samples_result import Sampling
from .sampling.statistics import largest_value


@dataclass(frozen=True, eq=False)
class SegmentationResult:
    """A segmentation and its uncertainty.

    Attributes:
        image: the input, unchanged.
        labels: uint8 label map; values are those of ``label_set``; also 0 where nothing was analysed.
        uncertainty: float32, the primary kind (vacuity C/S for evidential nets), NaN where nothing was analysed.
        entropy: float32 predictive entropy over all classes divided by ln C, NaN where nothing was analysed.
        label_set: the foreground labels of this result in order, with final values, names, colours and terminology
            (with several ROIs the package's labels stand once a ROI, prefixed by its name).
        wholes, asymmetries: what several structures make up together, and how its two sides compare.
        rois: the regions that were analysed; empty for the whole scan.
        probabilities: (C, k, j, i) float32 of the package's own classes, only when asked for and with at most one ROI.
        sampling: what drawn samples add, for networks with latents.
        members: how far folds, readers or given probability maps agree, for results of several members.
        difficulty: how hard the scan or each region is for the model, where the package has a table to compare with.
        measures: what the run tells about its own quality, one a region.
        quality: how well each region's result would agree with a reader, where the package makes forecasts.
        provenance: versions, model fingerprint, engine, device, timings, seed; ready for JSON.
    """

    image: Volume
    labels: Volume
    uncertainty: Volume
    entropy: Volume
    label_set: tuple[Label, ...]
    rois: tuple[Roi, ...] = ()
    structures: tuple[StructureRow, ...] = ()
    wholes: tuple[WholeRow, ...] = ()
    asymmetries: tuple[Asymmetry, ...] = ()
    regions: tuple[UncertainRegion, ...] = ()
    notices: tuple[Notice, ...] = ()
    probabilities: NDArray[np.float32] | None = None
    uncertainty_kind: str = "vacuity"
    threshold: float = 0.5
    sampling: Sampling | None = None
    members: Members | None = None
    difficulty: tuple[CaseDifficulty, ...] = ()
    measures: tuple[RunMeasures, ...] = ()
    quality: tuple[PredictedQuality, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def has_model(self) -> bool:
        """Whether a network drew it, rather than given masks or probability maps (``fusion``)."""
        return "made_from" not in self.provenance

    def highest(self, kind: str) -> float:
        """The largest value that a map of that kind can have."""
        if self.sampling is None:
            return 1.0
        return largest_value(kind, len(self.label_set) // max(1, len(self.rois)) + 1)

    @property
    def verdict(self) -> Verdict:
        """Whether the result can be used, from its forecasts and its warnings."""
        return verdict_of(self.notices, self.quality)
