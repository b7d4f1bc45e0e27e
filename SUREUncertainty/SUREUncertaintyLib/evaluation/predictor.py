"""The seam between metrics and whatever predicts: one clean pass, and uncertainty under noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..analysis.volume_range import VoxelRange
from ..arrays.heads import Head
from ..core.labels import Label
from ..core.progress import IsCancelled, Progress, never, silent
from ..core.roi import Roi
from ..core.volume import Volume
from ..corruptions.corruption import Recipe
from ..corruptions.registry import apply_recipe, corrupt_volume, make_recipe
from ..inference.engine import Engine
from ..inference.estimation.model_options import ModelOptions, open_model
from ..inference.fitted_run import as_run, head_of
from ..inference.native.engine import MemberEngine
from ..inference.native.looking import prepare_where
from ..inference.native.preparing import Prepared, channels_in_order
from ..inference.native.runner import NativeRunner
from ..inference.network_regions import Region, plan_regions, prepare_region
from ..inference.network_run import run_network
from ..inference.region_merging import Canvas
from ..inference.sampling.encoding import has_latents
from ..inference.sampling.sampler import SampledHead, sampled_channels
from ..inference.sampling.samples_result import SamplingOptions
from ..inference.segmenter import SURE, check_input
from ..inference.turned import Turn, window_turn
from .scored_region import ScoredRegion, scored_region_of

if TYPE_CHECKING:
    from ..packages.package import Package


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about one scan, on the grid (k, j, i) of the part that is judged.

    Attributes:
        labels: integer label map.
        probabilities: (C, k, j, i), channel order of the package.
        uncertainty: the model's primary kind of uncertainty, NaN where the model saw nothing.
        asked: see ``ScoredRegion``.
        ranges: voxels of the volume range by label value; empty for models whose range comes from samples.
    """

    labels: NDArray[Any]
    probabilities: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    asked: NDArray[np.bool_] | None = None
    ranges: Mapping[int, VoxelRange] = field(default_factory=dict)


class Predictor(Protocol):
    """Anything that can be evaluated."""

    @property
    def name(self) -> str:
        """The estimator: ``"native"``, ``"dropout"``, ..."""

    @property
    def passes(self) -> int:
        """Runs of a network that a window costs."""

    @property
    def classes(self) -> tuple[Label, ...]:
        """Every class in channel order, background first."""

    def within(
        self, roi: Roi | None, turn: Turn | None = None, channels: Mapping[str, Volume] | None = None
    ) -> Predictor:
        """The same predictor for scans of which one box is analysed; for whole scans when None.

        Args:
            turn: the pose in which a search found what is in the box, as for ``segment``.
            channels: further images of the patient by name, for models that take several.
        """
        ...

    def forget(self) -> None:
        """Another scan comes: drop what was kept of the last one."""
        ...

    def judged(self, volume: Volume) -> ScoredRegion:
        """The part of a scan that its answers are about."""
        ...

    def predict(self, volume: Volume, progress: Progress = silent, is_cancelled: IsCancelled = never) -> Prediction:
        """The clean prediction of the part that is judged."""
        ...

    def noisy(
        self, volume: Volume, levels: Sequence[float], seed: int, case_id: str, is_cancelled: IsCancelled = never
    ) -> Iterator[NDArray[np.float32]]:
        """Uncertainty (k, j, i) at each noise level, one field for all levels, in units of the normalised input."""
        ...


@dataclass(frozen=True)
class NativePredictor:
    """A package on an engine; several passes behind one engine (see ``inference.estimation``) are an estimator.

    Attributes:
        roi: the box to analyse; None for the whole scan.
        turn: how the structure's pose turns the window, (3, 3) in RAS, where it is known.
        channels: further images of the patient by name; damage acts on each of them with noise of its own.
    """

    package: Package
    engine: Engine
    roi: Roi | None = None
    turn: Turn | None = field(default=None, compare=False)
    channels: Mapping[str, Volume] = field(default_factory=dict, compare=False)

    @classmethod
    def open(cls, options: ModelOptions) -> NativePredictor:
        """The model of a job that came from another process. Raises PackageError, EngineError."""
        opened = open_model(options)
        return cls(opened.package, opened.engine)

    def forget(self) -> None:
        """Nothing is kept."""

    @property
    def name(self) -> str:
        """``"native"``, or the estimator that the engine stands for."""
        return self.engine.estimator

    @property
    def passes(self) -> int:
        """Runs of a network that a window costs."""
        return self.engine.passes

    @property
    def classes(self) -> tuple[Label, ...]:
        """Every class in channel order, background first."""
        return self.package.metadata.labels

    @property
    def _rois(self) -> tuple[Roi, ...]:
        return () if self.roi is None else (self.roi,)

    def within(
        self, roi: Roi | None, turn: Turn | None = None, channels: Mapping[str, Volume] | None = None
    ) -> NativePredictor:
        """As it is, for another part of the scans and other images beside them."""
        return replace(self, roi=roi, turn=turn, channels=dict(channels or {}))

    def judged(self, volume: Volume) -> ScoredRegion:
        """See ``scored_region_of``."""
        return scored_region_of(volume.grid, self.package.metadata, self.roi, self.turn)

    def predict(self, volume: Volume, progress: Progress = silent, is_cancelled: IsCancelled = never) -> Prediction:
        """The main job. Raises InputError for a scan that cannot be used."""
        check_input(volume, self.package, self._rois, keep_probabilities=True, channels=self.channels)
        region = self._region(volume)
        image = self._prepared(volume, region)
        return self._prediction(volume, self._canvas(volume, region, image, True, is_cancelled, progress))

    def noisy(
        self, volume: Volume, levels: Sequence[float], seed: int, case_id: str, is_cancelled: IsCancelled = never
    ) -> Iterator[NDArray[np.float32]]:
        """As the main job, with noise added between normalisation and network, on the model's grid."""
        recipes = [make_recipe("gaussian", level, seed, case_id) for level in levels]
        part = self.judged(volume)
        for canvas in self._painted(volume, recipes, False, is_cancelled):
            yield part.of(canvas.uncertainty)

    def corrupted(
        self, volume: Volume, recipes: Sequence[Recipe], is_cancelled: IsCancelled = never
    ) -> Iterator[Prediction]:
        """The main job on a damaged scan, recipe by recipe.

        A recipe acts on the scan's own intensities before resampling and normalisation, or on the normalised input on
        the model's grid, as it says.

        Raises:
            InputError: a corruption cannot be applied to this scan.
        """
        for canvas in self._painted(volume, recipes, True, is_cancelled):
            yield self._prediction(volume, canvas)

    def _prediction(self, volume: Volume, canvas: Canvas) -> Prediction:
        if canvas.probabilities is None:
            raise ValueError("the canvas kept no probabilities")
        part = self.judged(volume)
        maps = part.of(canvas.labels), part.of(canvas.probabilities), part.of(canvas.uncertainty)
        ranges = {} if has_latents(self.package.metadata) else canvas.ranges
        return Prediction(*maps, part.asked, ranges)

    def _region(self, volume: Volume) -> Region:
        """What is analysed; all of its block is painted, since an oblique box holds less than is judged.

        A turned window is painted as far as it reaches: beyond it the model saw nothing.
        """
        metadata = self.package.metadata
        (region,) = plan_regions(volume.grid, metadata, self._rois, self.turn)
        turned = self.roi is not None and window_turn(volume.grid, metadata, self.turn) is not None
        return region if turned else replace(region, inside=None)

    def _painted(
        self, volume: Volume, recipes: Sequence[Recipe], keep_probabilities: bool, is_cancelled: IsCancelled
    ) -> Iterator[Canvas]:
        region = self._region(volume)
        on_input = any(recipe.space == "input" for recipe in recipes)
        clean = self._prepared(volume, region) if on_input else None
        for recipe in recipes:
            image = self._damaged_input(volume, region, recipe, clean)
            yield self._canvas(volume, region, image, keep_probabilities, is_cancelled)

    def _canvas(
        self,
        volume: Volume,
        region: Region,
        image: NDArray[np.float32] | Prepared,
        keep_probabilities: bool,
        is_cancelled: IsCancelled,
        progress: Progress = silent,
    ) -> Canvas:
        metadata = as_run(self.package, self.engine).metadata
        sure = SURE if metadata.volume_probability is None else metadata.volume_probability
        canvas = Canvas(volume.grid.shape, len(metadata.labels), sure, keep_probabilities=keep_probabilities)
        if isinstance(image, Prepared):
            assert isinstance(self.engine, MemberEngine)  # as ``_prepared`` says
            NativeRunner.create(volume, self.channels, self.engine, canvas).paint_image(
                region, image, progress, is_cancelled
            )
            return canvas
        head, run = self._reader()
        blended = run(image, progress, is_cancelled)
        canvas.paint(region, blended, head)
        return canvas

    def _reader(self) -> tuple[Head, Callable[[NDArray[np.float32], Progress, IsCancelled], NDArray[np.float32]]]:
        """How the main job reads a normalised image: by samples where the network has latents."""
        package, engine = self.package, self.engine
        if not has_latents(package.metadata):
            head = head_of(package, engine)
            return head, lambda image, told, stop: run_network(image, package, engine, head, told, stop)
        options = SamplingOptions()
        sampled: Head = SampledHead(package.metadata.primary)
        return sampled, lambda image, told, stop: sampled_channels(image, package, engine, options, stop)  # type: ignore[arg-type]

    def _prepared(
        self, volume: Volume, region: Region, channels: Mapping[str, Volume] | None = None
    ) -> NDArray[np.float32] | Prepared:
        """What the model sees of a region: as this library prepares it, or as its package says."""
        if isinstance(self.engine, MemberEngine):
            others = self.channels if channels is None else channels
            images = channels_in_order(volume, others, self.engine.pipeline, self.package.metadata.name)
            return prepare_where(images, region, self.engine)
        return prepare_region(volume, region, self.package.metadata)

    def _damaged_input(
        self, volume: Volume, region: Region, recipe: Recipe, clean: NDArray[np.float32] | Prepared | None
    ) -> NDArray[np.float32] | Prepared:
        """(1, k, j, i) on the model's grid, normalised."""
        if recipe.space == "scan" or clean is None:
            damaged = {name: corrupt_volume(one, _own_noise(recipe, name)) for name, one in self.channels.items()}
            return self._prepared(corrupt_volume(volume, recipe), region, damaged)
        if isinstance(clean, Prepared):
            recipes = [recipe, *(_own_noise(recipe, str(number)) for number in range(1, len(clean.image)))]
            pairs = zip(recipes, clean.image, strict=True)
            return clean.with_image(np.stack([apply_recipe(one, image, clean.spacing) for one, image in pairs]))
        return apply_recipe(recipe, clean[0], region.model_grid.spacing_kji)[np.newaxis]


def _own_noise(recipe: Recipe, channel: str) -> Recipe:
    """The recipe for a further image: the same damage, with a noise field of its own."""
    return replace(recipe, case_id=f"{recipe.case_id}/{channel}")
