"""The noise of a sample: one field a level for the whole volume, from which every window takes its part.

Draws of its own in every window would show as seams, and averaging overlapping windows would shrink the variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


def standard_noise(seed: Sequence[int], sample: int, level: int, shape: Sequence[int]) -> Float32:
    """N(0, 1) float32 of ``shape``: a function of seed, sample and level alone."""
    generator = np.random.default_rng([*seed, sample, level])
    return generator.standard_normal(tuple(shape), dtype=np.float32)


@dataclass(frozen=True)
class NoiseField:
    """Noise of every sample and level over a padded volume.

    Attributes:
        seed: any number of non-negative integers.
        padded: (k, j, i) of the volume, multiples of every stride.
        strides: voxels a location along (k, j, i), one entry a level, finest first; 1 along k for planar networks.
        latent_dim: channels of a latent map.
        planar: one field is shared by all slices along k, so that neighbouring slices are drawn alike.
    """

    seed: tuple[int, ...]
    padded: tuple[int, int, int]
    strides: tuple[tuple[int, int, int], ...]
    latent_dim: int = 1
    planar: bool = False

    def of_sample(self, sample: int) -> SampleNoise:
        """The fields of one sample, all levels."""
        fields = tuple(
            standard_noise(self.seed, sample, level, self._shape(level)) for level in range(len(self.strides))
        )
        return SampleNoise(fields, self.strides, self.planar)

    def _shape(self, level: int) -> tuple[int, ...]:
        sizes = [length // stride for length, stride in zip(self.padded, self.strides[level], strict=True)]
        return (self.latent_dim, *(sizes[1:] if self.planar else sizes))


@dataclass(frozen=True, eq=False)
class SampleNoise:
    """Fields (latent_dim, ...) of one sample, finest level first."""

    fields: tuple[Float32, ...]
    strides: tuple[tuple[int, int, int], ...]
    planar: bool

    def crop(self, level: int, origins: Sequence[Sequence[int]], patch: Sequence[int]) -> Float32:
        """The parts (B, latent_dim, ...) of windows at ``origins`` and of size ``patch``, both (k, j, i)."""
        return np.stack([self.fields[level][(slice(None), *self._part(level, origin, patch))] for origin in origins])

    def _part(self, level: int, origin: Sequence[int], patch: Sequence[int]) -> tuple[slice, ...]:
        parts = [
            slice(start // stride, (start + size) // stride)
            for start, size, stride in zip(origin, patch, self.strides[level], strict=True)
        ]
        return tuple(parts[1:] if self.planar else parts)


def noise_field(shape: Sequence[int], base_seed: int, case_id: str) -> NDArray[np.float32]:
    """Unit-normal float32 field of ``shape``, independent per voxel and channel, drawn from [base_seed, crc32(id)]."""
    generator = np.random.default_rng([base_seed, crc32(case_id.encode("utf-8"))])
    return generator.standard_normal(tuple(shape), dtype=np.float32)
