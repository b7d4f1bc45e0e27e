"""One image through the network, whole: windows, blended, and of structures that are one piece the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..arrays.heads import Head
from ..core.progress import IsCancelled, Progress, never, silent
from .engine import Engine
from .estimator import NativeEstimator
from .one_piece import keep_largest_pieces
from .windows import blend_windows

if TYPE_CHECKING:
    from ..packages.package import Package


def run_network(
    image: NDArray[np.float32],
    package: Package,
    engine: Engine,
    head: Head,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> NDArray[np.float32]:
    """Blended channels (C, k, j, i) of a normalised image (1, k, j, i) that lies on a model grid."""
    metadata = package.metadata
    estimator = NativeEstimator(engine, head)
    channels = blend_windows(image, metadata.patch, metadata.overlap, estimator, progress, is_cancelled)
    return keep_largest_pieces(channels, head) if metadata.one_piece else channels
