"""The regions of a run through a network with latents: draws, maps and sizes, brought to the input's grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...analysis.in_samples import InSamples
from ...analysis.notice_texts import LATENTS_COLLAPSED, SINGLE_SAMPLE, TEXTS
from ...analysis.rows import Notice
from ...analysis.volume_range import MM3_PER_ML, VoxelRange
from ...arrays.heads import Belief, SoftmaxHead, normalised_entropy
from ...core.errors import InputError
from ...core.latent_levels import LatentLevel, silent_sentence
from ...core.progress import IsCancelled, Progress, part_of
from ...core.resampling import resample_slab
from ...core.volume import Volume
from ...files.scan_remarks import tells_pixel_size
from ..network_regions import Region
from .draw import SampleSource, check_levels
from .encoding import LatentEngine, latent_layout
from .memory import check_memory
from .plausible import most_different, probability_bands
from .region_measure import RegionMeasure
from .samples_result import Sampling, SamplingOptions, StructureSize
from .sizes import LEAST_SAMPLES
from .specks import DrawnSamples, without_specks
from .statistics import SampleMaps, SampleStatistics

if TYPE_CHECKING:
    from ...packages.metadata import PackageMetadata
    from ...packages.package import Package

Float32 = NDArray[np.float32]
KEPT_MAPS = ("mutual_information", "fg_variance", "class_variance")


class SampledHead(SoftmaxHead):
    """Reads channels that a ``RegionSampler`` made: mean probabilities (C, ...), then the primary map."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def probability(self, blended: Float32) -> Float32:
        """The mean over samples, renormalised against resampling."""
        return super().probability(blended[:-1])

    def belief(self, blended: Float32) -> Belief:
        """Mean probability, the primary map, and the entropy of the mean."""
        probability = self.probability(blended)
        return Belief(probability, blended[-1], normalised_entropy(probability))


class RegionSampler:
    """Draws the samples of every region of one run and keeps what is read from them.

    Raises:
        PackageError: the network has no latents.
        InputError: fewer than one sample, a level that does not exist, or a volume that does not fit into memory.
    """

    def __init__(self, volume: Volume, package: Package, engine: LatentEngine, options: SamplingOptions) -> None:
        self._layout = latent_layout(package.metadata)
        if options.count < 1:
            raise InputError(f"The number of samples must be 1 or more, not {options.count}.")
        if options.least_voxels < 1:
            raise InputError(f"Pieces of samples have 1 voxel or more, not {options.least_voxels}.")
        check_levels(options.levels, self._layout.levels)
        self._volume, self._metadata, self._engine, self._options = volume, package.metadata, engine, options
        self.head = SampledHead(package.metadata.primary)
        self._maps = {name: self._unknown() for name in KEPT_MAPS}
        self._levels = [self._unknown() for _ in range(self._layout.levels if options.level_maps else 0)]
        self._samples = [self._blank() for _ in range(options.count if options.keep_samples else 0)]
        self._bands: dict[str, NDArray[np.uint8]] = {}
        self._sizes: list[StructureSize] = []
        self._pixel_mm = math.nan

    def check(self, region: Region) -> None:
        """Refuse a region that would not fit into memory, before anything is drawn."""
        kept = len(self._samples)
        check_memory(region.model_grid.shape, len(self._metadata.labels), len(self._levels), kept)

    def run(self, image: Float32, region: Region, progress: Progress, is_cancelled: IsCancelled) -> Float32:
        """Draw a region's samples; returns (C + 1, k, j, i): mean probabilities and the primary map."""
        options, metadata = self._options, self._metadata
        if tells_pixel_size(self._volume.remarks):
            self._pixel_mm = min(region.model_grid.spacing_kji[1:])
        source = _source(image, metadata, self._engine, options)
        total = max(options.count, LEAST_SAMPLES)
        share = total / (total + options.count * len(self._levels))
        maps, drawn = self._draw(source, region, total, part_of(progress, 0.0, share), is_cancelled)
        for level, target in enumerate(self._levels):
            alone = source.at_levels(frozenset({level}))
            self._put(target, self._information(alone, is_cancelled), region)
            progress(share + (1.0 - share) * (level + 1) / len(self._levels), f"level {level}")
        self._keep(maps, drawn, region)
        return _channels(maps, metadata.primary)

    def ranges(self) -> dict[int, VoxelRange]:
        """The size interval of every structure in voxels of the input."""
        voxel_ml = self._volume.grid.voxel_volume_mm3 / MM3_PER_ML
        return {
            size.value: VoxelRange(int(size.ml[1] / voxel_ml), int(np.ceil(size.ml[2] / voxel_ml)))
            for size in self._sizes
        }

    def in_samples(self) -> dict[int, InSamples]:
        """By label value in how many samples a structure is, and where."""
        return {size.value: found for size in self._sizes if (found := size.in_samples) is not None}

    def result(self) -> Sampling:
        """Everything that the samples of all regions say."""
        named = self._volume.with_array
        far = most_different(self._samples) if len(self._samples) > 1 else ()
        return Sampling(
            options=self._options,
            maps={name: named(array, name) for name, array in self._maps.items()},
            levels=tuple(named(array, f"level {level}") for level, array in enumerate(self._levels)),
            bands={name: named(array, f"{name} contours") for name, array in self._bands.items()},
            samples=tuple(named(array, f"sample {number}") for number, array in enumerate(self._samples)),
            most_different=far,
            sizes=tuple(self._sizes),
            scales=self._scales(),
        )

    def record(self) -> dict[str, Any]:
        """What the run's record says about the draws."""
        options = self._options
        drawn = {
            "samples": options.count,
            "size_samples": max(options.count, LEAST_SAMPLES),
            "size_stretch": self._metadata.size_stretch,
            "temperature": self._metadata.sample_temperature,
            "least_voxels": options.least_voxels,
        }
        levels = "all" if options.levels is None else list(options.levels)
        return {"estimator": "samples", "seed": options.seed, "sampling": {**drawn, "levels": levels}}

    def notices(self) -> tuple[Notice, ...]:
        """One sample that has nothing to differ from, and warnings that the package carries about its latents."""
        is_alone = self._options.count == 1 and self._metadata.primary != "entropy"
        alone = (Notice(SINGLE_SAMPLE, TEXTS[SINGLE_SAMPLE]),) if is_alone else ()
        probed = self._metadata.silent_levels is not None
        told = (silent_sentence(self._scales()),) if probed else self._metadata.warnings
        return (*alone, *(Notice(LATENTS_COLLAPSED, text) for text in told if text))

    def _scales(self) -> tuple[LatentLevel, ...]:
        """The levels, finest first; in mm along the finer in-plane axis of the model's grid."""
        silent = self._metadata.silent_levels or frozenset()
        strides = [max(stride) for stride in self._layout.strides]
        return tuple(
            LatentLevel(number, pixels, pixels * self._pixel_mm, number in silent)
            for number, pixels in enumerate(strides)
        )

    def _draw(
        self, source: SampleSource, region: Region, total: int, progress: Progress, is_cancelled: IsCancelled
    ) -> tuple[SampleMaps, DrawnSamples]:
        statistics = SampleStatistics((len(self._metadata.labels), *source.plan.shape))
        drawn = DrawnSamples(source.plan.shape)
        for number, sample in enumerate(source.draw(total, 0, progress, is_cancelled)):
            is_mapped = number < self._options.count
            drawn.add(statistics.add(sample) if is_mapped else sample.argmax(axis=0).astype(np.uint8))
            if number < len(self._samples):
                self._put_sample(self._samples[number], sample, region)
        return statistics.maps(), drawn

    def _information(self, source: SampleSource, is_cancelled: IsCancelled) -> Float32:
        statistics = SampleStatistics((len(self._metadata.labels), *source.plan.shape))
        for sample in source.draw(self._options.count, is_cancelled=is_cancelled):
            statistics.add(sample)
        return statistics.maps().mutual_information

    def _keep(self, maps: SampleMaps, drawn: DrawnSamples, region: Region) -> None:
        """Maps of the samples as drawn; contours and sizes of them without specks, which leave the kept ones too."""
        for name, target in self._maps.items():
            self._put(target, maps.map(name), region)
        answer = maps.probability.argmax(axis=0).astype(np.uint8)
        measure = RegionMeasure.create(region.model_grid, len(maps.probability), self._volume.remarks)
        for number, channels in enumerate(drawn):
            cleaned = without_specks(channels, answer, self._options.least_voxels)
            measure.add(cleaned)
            if number < len(self._samples):
                self._take_out(self._samples[number], channels != cleaned, region)
        self._sizes += measure.sizes(region.label_set, answer, self._metadata.size_stretch)
        for label, share in zip(region.label_set, measure.shares(), strict=True):
            bands = self._bands.setdefault(label.name, self._blank())
            self._put(bands, probability_bands(self._resampled(share, region)), region, False)

    def _put_sample(self, target: NDArray[np.uint8], sample: Float32, region: Region) -> None:
        values = np.array([0, *(label.value for label in region.label_set)], dtype=np.uint8)
        channels = np.stack([self._resampled(channel, region) for channel in sample])
        self._put(target, values[channels.argmax(axis=0)], region, False)

    def _take_out(self, target: NDArray[np.uint8], specks: NDArray[np.bool_], region: Region) -> None:
        """Make specks of a sample on the model's grid background on the input's grid."""
        if specks.any():
            own = np.isin(target[region.slices], [label.value for label in region.label_set])
            target[region.slices][own & (self._resampled(specks.astype(np.float32), region) > 0)] = 0

    def _put(self, target: NDArray[Any], values: NDArray[Any], region: Region, resampled: bool = True) -> None:
        """Where regions overlap the larger value stays."""
        on_input = self._resampled(values, region) if resampled else values
        inside = True if region.inside is None else region.inside
        np.fmax(target[region.slices], on_input, out=target[region.slices], where=inside)

    def _resampled(self, array: NDArray[Any], region: Region) -> NDArray[Any]:
        return resample_slab(array, region.model_grid, region.grid, 0, region.grid.shape[0], "linear")

    def _blank(self) -> NDArray[np.uint8]:
        """A map of counts or labels: 0 where nothing was analysed, as in the segmentation."""
        return np.zeros(self._volume.grid.shape, dtype=np.uint8)

    def _unknown(self) -> Float32:
        """A map of uncertainty: NaN where nothing was analysed."""
        return np.full(self._volume.grid.shape, np.nan, dtype=np.float32)


def sampled_channels(
    image: Float32, package: Package, engine: LatentEngine, options: SamplingOptions, is_cancelled: IsCancelled
) -> Float32:
    """What ``RegionSampler.run`` returns for a normalised image (1, k, j, i), without the draws that sizes need."""
    source = _source(image, package.metadata, engine, options)
    statistics = SampleStatistics((len(package.metadata.labels), *source.plan.shape))
    for sample in source.draw(options.count, is_cancelled=is_cancelled):
        statistics.add(sample)
    return _channels(statistics.maps(), package.metadata.primary)


def _source(image: Float32, metadata: PackageMetadata, engine: LatentEngine, options: SamplingOptions) -> SampleSource:
    levels = None if options.levels is None else frozenset(options.levels)
    layout, seed = latent_layout(metadata), (options.seed,)
    return SampleSource(
        image,
        engine,
        layout,
        metadata.patch,
        metadata.overlap,
        seed,
        levels,
        options.cache_mb,
        metadata.sample_temperature,
    )


def _channels(maps: SampleMaps, primary: str) -> Float32:
    return np.concatenate([maps.probability, maps.map(primary)[np.newaxis]])
