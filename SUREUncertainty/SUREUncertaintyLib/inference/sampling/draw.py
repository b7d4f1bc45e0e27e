"""Draw samples of an image: encode every window once, decode it once a sample, blend each sample over its windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ...arrays.heads import softmax
from ...arrays.noise import NoiseField, SampleNoise
from ...core.errors import InputError
from ...core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..windows import Origin, WindowPlan, blend, cut_windows, pad_image, plan_windows
from .encoding import Encoding, LatentEngine, LatentLayout

Float32 = NDArray[np.float32]
CACHE_MB = 1024
SAMPLES_PER_DECODE = 8
"""Samples of one window that the decoder gets at once; more gain no speed."""


@dataclass
class SampleSource:
    """Samples of one image by number; the same number always gives the same sample.

    Args:
        image: (channels, k, j, i) float32, normalised, on the model's grid.
        patch, overlap: as for ``plan_windows``; the patch is a multiple of the layout's.
        seed: any non-negative integers.
        levels: those that are sampled, the others stay at their mean; None for all.
        cache_mb: encodings are kept up to this size; what does not fit is encoded again for every sample. They are
            kept in float32, so that the cache's size never changes a result.
        temperature: logits are divided by it; above 1 every sample is less sure of its own outline, which stays where
            it is.

    Attributes:
        encoded: windows that went through the encoder, for logs and tests.
    """

    image: Float32
    engine: LatentEngine
    layout: LatentLayout
    patch: tuple[int, ...]
    overlap: float
    seed: tuple[int, ...] = (0,)
    levels: frozenset[int] | None = None
    cache_mb: float = CACHE_MB
    temperature: float = 1.0
    encoded: int = 0
    plan: WindowPlan = field(init=False)

    def __post_init__(self) -> None:
        self.levels = check_levels(self.levels, self.layout.levels)
        self.plan = plan_windows(self.image.shape[1:], self.patch, self.overlap, self.layout.multiple)
        self._padded = pad_image(self.image, self.plan)
        layout = self.layout
        self._noise = NoiseField(self.seed, self.plan.padded, layout.strides, layout.latent_dim, layout.planar)
        self._cache: dict[Origin, Encoding] = {}
        self._cached_bytes = 0

    def at_levels(self, levels: frozenset[int]) -> SampleSource:
        """The same samples with other levels drawn; encodings are shared."""
        other = replace(self, levels=levels, encoded=0)
        other._cache, other._cached_bytes = self._cache, self._cached_bytes
        return other

    def mean(self, is_cancelled: IsCancelled = never) -> Float32:
        """Class probabilities (C, k, j, i) with every latent at its mean."""
        return self._blended(lambda origins, encoding: encoding.means, silent, is_cancelled)

    def draw(
        self, count: int, first: int = 0, progress: Progress = silent, is_cancelled: IsCancelled = never
    ) -> Iterator[Float32]:
        """Class probabilities (C, k, j, i) of samples ``first`` .. ``first + count - 1``, one after the other."""
        batches = (
            self._one_window(count, first) if self.plan.count == 1 else self._many_windows(count, first, is_cancelled)
        )
        for done, sample in enumerate(batches):
            raise_if_cancelled(is_cancelled)
            progress((done + 1) / count, f"sample {done + 1} of {count}")
            yield sample

    def _many_windows(self, count: int, first: int, is_cancelled: IsCancelled) -> Iterator[Float32]:
        for number in range(first, first + count):
            yield self._blended(partial(self._latents, noise=self._noise.of_sample(number)), silent, is_cancelled)

    def _one_window(self, count: int, first: int) -> Iterator[Float32]:
        """Several samples a call of the decoder, as one window's features meet many latents."""
        origins = next(self.plan.batches())
        encoding = self._encoding(origins)
        numbers = iter(range(first, first + count))
        while chunk := list(islice(numbers, SAMPLES_PER_DECODE)):
            drawn = [self._latents(origins, encoding, self._noise.of_sample(number)) for number in chunk]
            latents = [np.concatenate(level) for level in zip(*drawn, strict=True)]
            for probability in self._probabilities(encoding, latents):
                yield self._unpadded(probability)

    def _probabilities(self, encoding: Encoding, latents: Sequence[Float32]) -> Float32:
        """(N, C, ...) of N samples of a window."""
        return softmax(self.engine.decode(encoding, latents) / np.float32(self.temperature), axis=1)

    def _unpadded(self, window: Float32) -> Float32:
        volume = window[:, None] if self.plan.planar else window
        inner = (slice(b, b + n) for b, n in zip(self.plan.before, self.plan.shape, strict=True))
        return volume[(slice(None), *inner)]

    def _latents(self, origins: list[Origin], encoding: Encoding, noise: SampleNoise) -> tuple[Float32, ...]:
        assert self.levels is not None
        return tuple(
            mean + deviation * noise.crop(level, origins, self.plan.patch) if level in self.levels else mean
            for level, (mean, deviation) in enumerate(zip(encoding.means, encoding.deviations, strict=True))
        )

    def _blended(
        self,
        latents: Callable[[list[Origin], Encoding], Sequence[Float32]],
        progress: Progress,
        is_cancelled: IsCancelled,
    ) -> Float32:
        def probabilities(origins: list[Origin]) -> Float32:
            encoding = self._encoding(origins)
            return self._probabilities(encoding, latents(origins, encoding))

        return blend(self.plan, probabilities, progress, is_cancelled)

    def _encoding(self, origins: list[Origin]) -> Encoding:
        """From the cache where it is there; batches of windows are always the same ones."""
        key = origins[0]
        if key in self._cache:
            return self._cache[key]
        encoding = self.engine.encode(cut_windows(self._padded, origins, self.plan))
        self.encoded += len(origins)
        if self._cached_bytes + encoding.bytes <= self.cache_mb * 1e6:
            self._cache[key] = encoding
            self._cached_bytes += encoding.bytes
        return encoding


def check_levels(levels: frozenset[int] | Sequence[int] | None, count: int) -> frozenset[int]:
    """The levels that are sampled.

    Raises:
        InputError: a level that does not exist.
    """
    if levels is None:
        return frozenset(range(count))
    unknown = sorted(set(levels) - set(range(count)))
    if unknown:
        raise InputError(
            f"The model has no level {unknown[0]}. It has {count} levels, from 0 (finest) to {count - 1} (coarsest)."
        )
    return frozenset(levels)
