"""The seam between windows and networks: an estimator turns windows into the channels that windows blend.

Whatever makes a belief about voxels (one forward pass, later samples or several networks) stands behind this call;
blending, resampling and merging know only the channels that come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays.heads import Head
from .engine import Engine

Float32 = NDArray[np.float32]


class Estimator(Protocol):
    """Anything whose output may be averaged linearly over windows."""

    def __call__(self, windows: Float32) -> Float32:
        """(B, image channels, ...) to (B, blended channels, ...), same spatial axes."""
        ...


@dataclass(frozen=True)
class NativeEstimator:
    """One forward pass; the head's own quantity (evidence or probability) is blended."""

    engine: Engine
    head: Head

    def __call__(self, windows: Float32) -> Float32:
        """Evidence or probability (B, C, ...)."""
        return self.head.blended(self.engine.logits(windows), axis=1)
