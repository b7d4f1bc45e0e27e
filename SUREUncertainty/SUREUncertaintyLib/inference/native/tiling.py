"""How a pipeline covers an image with windows: as nnU-Net or MONAI do, or as one window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...core.progress import IsCancelled, Progress
from ...packages.pipeline import Pipeline
from ..windows import blend, cut_windows, gaussian_weight, pad_image, plan_windows
from .tiles import blend_tiles, spread_tiles

Float32 = NDArray[np.float32]
LogitsOf = Callable[[Float32], Float32]
Blend = Callable[[LogitsOf, Progress, IsCancelled], Float32]


def tiling_of(image: Float32, patch: Sequence[int], overlap: float, pipeline: Pipeline) -> Blend:
    """What averages a network's raw outputs over the windows of an image (channels, ...).

    The function that is returned takes the network (windows (B, channels, ...) to logits (B, C, ...)), and raises
    ``Cancelled``.
    """
    shape = image.shape[1:]
    if pipeline.tiles == "even":
        tiles = spread_tiles(shape, tuple(patch), pipeline.step)  # type: ignore[arg-type]
        return lambda logits_of, progress, stop: blend_tiles(image, tiles, logits_of, progress, stop)
    whole = pipeline.tiles == "whole"
    plan = plan_windows(shape, shape if whole else patch, overlap)
    padded = pad_image(image, plan, pipeline.pad)
    weight = gaussian_weight(plan.patch) if pipeline.blend == "gaussian" else np.ones(plan.patch, dtype=np.float32)

    def run(logits_of: LogitsOf, progress: Progress, is_cancelled: IsCancelled) -> Float32:
        return blend(
            plan, lambda origins: logits_of(cut_windows(padded, origins, plan)), progress, is_cancelled, weight
        )

    return run
