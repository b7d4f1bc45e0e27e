"""The seam between multi-reader metrics and whatever predicts a slice: samples, probability and uncertainty map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arrays.normalisation import normalise
from ..core.centred_window import middle_slices
from ..core.errors import InputError
from ..core.volume import Grid
from ..inference.engine import Engine
from ..inference.estimator import NativeEstimator
from ..inference.fitted_run import head_of
from ..inference.network_regions import plan_regions
from ..inference.sampling.draw import SampleSource
from ..inference.sampling.encoding import LatentEngine, has_latents, latent_layout
from ..inference.sampling.sizes import LEAST_SAMPLES
from ..inference.sampling.statistics import SampleStatistics
from ..inference.windows import blend_windows

if TYPE_CHECKING:
    from ..packages.package import Package

Float32 = NDArray[np.float32]
Key = tuple[int, ...]
Kind = TypeVar("Kind", bound=np.generic)


@dataclass(frozen=True, eq=False)
class SlicePrediction:
    """What a method says about one slice.

    Attributes:
        samples: class probabilities (N, C, H, W); one for a method that gives one answer.
        probability: (C, H, W), their mean.
        labels: (H, W) class numbers of the answer that the method stands for.
        uncertainty: (H, W), the method's primary map.
        sizes: foreground pixels of at least 100 samples; empty for a method without samples.
        stretch: of the interval of sizes, see ``size_interval``.
    """

    samples: Float32
    probability: Float32
    labels: NDArray[np.uint8]
    uncertainty: Float32
    sizes: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    stretch: float = 1.0


class SlicePredictor(Protocol):
    """Anything that can be compared with several readers."""

    @property
    def name(self) -> str:
        """The estimator's name in results."""

    def predict(self, image: NDArray[np.uint8], key: Key) -> SlicePrediction:
        """One slice (H, W). Slices of one nodule share ``key``, so that their samples belong together."""
        ...


@dataclass(frozen=True)
class OneAnswer:
    """A package that gives one answer: its probabilities are the only sample."""

    package: Package
    engine: Engine
    name: str = "native"

    def predict(self, image: NDArray[np.uint8], key: Key) -> SlicePrediction:
        """One forward pass; nothing is drawn."""
        metadata = self.package.metadata
        head = head_of(self.package, self.engine)
        estimator = NativeEstimator(self.engine, head)
        seen = _Seen.of(image, self.package)
        blended = blend_windows(seen.prepared(), metadata.patch, metadata.overlap, estimator)
        belief = head.belief(blended[:, 0])
        probability = seen.among_background(belief.probability)
        labels = seen.on_slice(belief.winners.astype(np.uint8))
        return SlicePrediction(probability[None], probability, labels, seen.on_slice(belief.uncertainty))


@dataclass(frozen=True)
class Samples:
    """A package with latents: ``count`` samples of the prior; no reading ever reaches the network."""

    package: Package
    engine: LatentEngine
    count: int
    seed: int = 0
    with_sizes: bool = True
    name: str = "samples"

    def predict(self, image: NDArray[np.uint8], key: Key) -> SlicePrediction:
        """``count`` samples for the maps, and at least 100 for the sizes where these are wanted."""
        metadata, seen = self.package.metadata, _Seen.of(image, self.package)
        source = SampleSource(
            seen.prepared(),
            self.engine,
            latent_layout(metadata),
            metadata.patch,
            metadata.overlap,
            (self.seed, *key),
            temperature=metadata.sample_temperature,
        )
        statistics, kept, sizes = None, [], []
        for number, sample in enumerate(self._draws(source)):
            if number < self.count:
                statistics = statistics or SampleStatistics(sample.shape)
                statistics.add(sample)
                kept.append(sample[:, 0])
            sizes.append(float(np.count_nonzero(sample.argmax(axis=0))))
        assert statistics is not None  # at least one sample is drawn
        maps = statistics.maps()
        probability = seen.among_background(maps.probability[:, 0])
        labels = probability.argmax(axis=0).astype(np.uint8)
        measured = np.array(sizes if self.with_sizes else [])
        samples, uncertainty = seen.among_background(np.stack(kept)), seen.on_slice(maps.map(metadata.primary)[0])
        return SlicePrediction(samples, probability, labels, uncertainty, measured, metadata.size_stretch)

    def _draws(self, source: SampleSource) -> Iterator[Float32]:
        return source.draw(max(self.count, LEAST_SAMPLES) if self.with_sizes else self.count)


def create_slice_predictor(
    package: Package, engine: Engine, samples: int = 16, seed: int = 0, sizes: bool = True
) -> SlicePredictor:
    """The way in which a package answers; ``sizes``: also draw the 100 samples that size intervals need.

    Raises:
        InputError: fewer than one sample, or a network that works in 3D.
    """
    if samples < 1:
        raise InputError(f"The number of samples must be 1 or more, not {samples}.")
    if len(package.metadata.patch) != 2:
        raise InputError(f"The model '{package.metadata.name}' works in 3D; readers' slices need one that works in 2D.")
    if package.metadata.pipeline is not None:
        raise InputError(
            f"The model '{package.metadata.name}' was imported with a pipeline for whole scans; readers' slices need a "
            "model of this library."
        )
    if has_latents(package.metadata):
        return Samples(package, engine, samples, seed, sizes)  # type: ignore[arg-type]
    return OneAnswer(package, engine, engine.estimator)


@dataclass(frozen=True, eq=False)
class _Seen:
    """The part of a slice (H, W) that a model sees: all of it, or the middle of a model for boxes."""

    image: NDArray[np.uint8]
    where: tuple[slice, ...]
    package: Package

    @classmethod
    def of(cls, image: NDArray[np.uint8], package: Package) -> _Seen:
        metadata = package.metadata
        if metadata.centred:
            plan_regions(Grid((1, *image.shape)), metadata)  # refuses a slice without a middle
        return cls(image, middle_slices(image.shape, metadata.patch if metadata.centred else image.shape), package)

    def prepared(self) -> Float32:
        """(1, 1, h, w), normalised as a scan of one slice."""
        return normalise(self.image[self.where][np.newaxis], self.package.metadata.normalisation)[np.newaxis]

    def on_slice(self, values: NDArray[Kind]) -> NDArray[Kind]:
        """(..., h, w) on the whole slice (..., H, W), 0 where nothing was seen."""
        whole = np.zeros((*values.shape[:-2], *self.image.shape), dtype=values.dtype)
        rows, columns = self.where
        whole[..., rows, columns] = values
        return whole

    def among_background(self, probability: Float32) -> Float32:
        """Class probabilities (..., C, h, w) on the whole slice: background where nothing was seen."""
        whole = self.on_slice(probability)
        unseen = np.ones(self.image.shape, dtype=bool)
        unseen[self.where] = False
        whole[..., 0, unseen] = 1.0
        return whole
