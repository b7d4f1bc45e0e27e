"""The seam between metrics and whatever predicts: one clean pass, and uncertainty under noise."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.progress import IsCancelled
from ..core.progress import Progress
from ..core.progress import never
from ..core.progress import silent
from ..core.volume import Volume
from ..inference.canvas import Canvas
from ..inference.engine import Engine
from ..inference.heads import create_head
from ..inference.regions import plan_regions
from ..inference.regions import prepare_region
from ..inference.segmenter import run_network
from ..inference.segmenter import segment
from ..packages.metadata import Label
from .noise_field import noise_field

if TYPE_CHECKING:
    from ..packages.package import Package


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about one scan, on the scan's grid (k, j, i).

    Attributes:
        labels: integer label map.
        probabilities: (C, k, j, i), channel order of the package.
        uncertainty: the model's primary kind of doubt.
    """

    labels: NDArray[Any]
    probabilities: NDArray[np.float32]
    uncertainty: NDArray[np.float32]


class Predictor(Protocol):
    """Anything that can be evaluated."""

    @property
    def name(self) -> str:
        """The estimator: ``"native"``, ``"dropout"``, ..."""

    @property
    def classes(self) -> tuple[Label, ...]:
        """Every class in channel order, background first."""

    def predict(self, volume: Volume, progress: Progress = silent, is_cancelled: IsCancelled = never) -> Prediction:
        """The clean prediction."""
        ...

    def noisy(
        self, volume: Volume, levels: Sequence[float], seed: int, case_id: str, is_cancelled: IsCancelled = never
    ) -> Iterator[NDArray[np.float32]]:
        """Uncertainty (k, j, i) at each noise level, one field for all levels, in units of the normalised input."""
        ...


@dataclass(frozen=True)
class NativePredictor:
    """The model as it ships: one forward pass, its own head."""

    package: Package
    engine: Engine

    @property
    def name(self) -> str:
        """``"native"``."""
        return "native"

    @property
    def classes(self) -> tuple[Label, ...]:
        """Every class in channel order, background first."""
        return self.package.metadata.labels

    def predict(self, volume: Volume, progress: Progress = silent, is_cancelled: IsCancelled = never) -> Prediction:
        """The main job on the whole scan."""
        result = segment(volume, self.package, self.engine, (), True, progress, is_cancelled)
        if result.probabilities is None:
            raise ValueError("the segmenter kept no probabilities")
        return Prediction(result.labels.array, result.probabilities, result.uncertainty.array)

    def noisy(
        self, volume: Volume, levels: Sequence[float], seed: int, case_id: str, is_cancelled: IsCancelled = never
    ) -> Iterator[NDArray[np.float32]]:
        """As the main job, with noise added between normalisation and network, on the model's grid."""
        metadata = self.package.metadata
        (region,) = plan_regions(volume.grid, metadata)
        image, head = prepare_region(volume, region, metadata), create_head(metadata.head)
        field = noise_field(image.shape, seed, case_id)
        for level in levels:
            noisy = image + np.float32(level) * field
            blended = run_network(noisy, self.package, self.engine, head, silent, is_cancelled)
            canvas = Canvas(volume.grid.shape, len(metadata.labels))
            canvas.paint(region, blended, head)
            yield canvas.uncertainty
