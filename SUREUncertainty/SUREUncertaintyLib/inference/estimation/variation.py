"""Test-time augmentation: the same network on turned, stretched and re-contrasted copies of a window.

Works on any package. Every copy's probabilities are brought back to the voxels of the window before the mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.ndimage import affine_transform

from ...arrays.heads import Head, class_probability
from ...packages.metadata import PackageMetadata
from ..engine import Engine
from .averaged_engine import AveragedEngine, Float32

SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Variation:
    """One copy: mirrored along the last axis, stretched by ``scale`` about its centre, magnitudes to a power."""

    mirrored: bool = False
    scale: float = 1.0
    contrast: float = 1.0

    def apply(self, windows: Float32) -> Float32:
        """The copy of windows (B, channels, ...)."""
        changed = windows[..., ::-1] if self.mirrored else windows
        if self.contrast != 1.0:
            changed = np.sign(changed) * np.abs(changed) ** np.float32(self.contrast)
        return np.ascontiguousarray(_stretched(changed, self.scale), dtype=np.float32)

    def undo(self, probability: Float32) -> Float32:
        """Probabilities (B, C, ...) of the copy, on the voxels of the original."""
        back = _stretched(probability, 1.0 / self.scale)
        return back[..., ::-1] if self.mirrored else back


CHANGES = (Variation(), Variation(contrast=0.8), Variation(contrast=1.25), Variation(scale=0.9), Variation(scale=1.1))


def variations(metadata: PackageMetadata) -> tuple[Variation, ...]:
    """The copies for a package: ten, or five unmirrored ones where labels say left or right."""
    sided = any(SIDES.search(label.name) for label in metadata.labels)
    sides = (False,) if sided else (False, True)
    return tuple(Variation(side, change.scale, change.contrast) for side, change in product(sides, CHANGES))


def varied_passes(engine: Engine, head: Head, copies: tuple[Variation, ...]) -> AveragedEngine:
    """One pass a copy."""

    def probabilities(windows: Float32) -> Iterator[Float32]:
        for copy in copies:
            yield copy.undo(class_probability(engine.logits(copy.apply(windows)), head))

    return AveragedEngine(engine, "tta", len(copies), probabilities)


def _stretched(images: Float32, scale: float) -> Float32:
    """(B, channels, ...) stretched about the centre by linear interpolation; the border is continued outwards."""
    if scale == 1.0:
        return images
    out = np.empty(images.shape, dtype=np.float32)
    centre = (np.array(images.shape[2:]) - 1.0) / 2.0
    matrix, offset = np.full(len(centre), 1.0 / scale), centre * (1.0 - 1.0 / scale)
    for place in np.ndindex(*images.shape[:2]):
        affine_transform(images[place], matrix, offset, output=out[place], order=1, mode="nearest")
    return out
