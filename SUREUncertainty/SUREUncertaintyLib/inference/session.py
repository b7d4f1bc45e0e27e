"""A model that stays loaded while a person plays with the input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..analysis.notice_texts import SAMPLES_LEFT_OUT, TEXTS
from ..analysis.rows import Notice
from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, silent
from ..core.roi import Roi
from ..core.volume import Volume
from ..location.choice import found_boxes
from .engine import Engine
from .engine_choice import create_engine, create_member_engine
from .native.choice import ALL, named_choice
from .preview import preview, preview_engine
from .result import SegmentationResult
from .sampling.encoding import has_latents, latent_layout
from .sampling.memory import affordable
from .sampling.samples_result import SamplingOptions
from .segmenter import segment
from .turned import Turn

if TYPE_CHECKING:
    from ..packages.package import Package


class LiveSession:
    """One package on one engine; remembers the scan and its regions, so that a change costs only the run itself.

    Args:
        passes: of a model that has several, see ``native.choice.offered_passes``.

    Raises:
        EngineError: the engine is not available; InputError: passes that the model does not have (on construction).
    """

    def __init__(
        self,
        package: Package,
        engine: str = "auto",
        device: str | None = None,
        threads: int | None = None,
        passes: str = ALL,
    ) -> None:
        self.package = package
        pipeline = package.metadata.pipeline
        if pipeline is None or passes == ALL:
            self.engine: Engine = create_engine(package, engine, device, threads)
        else:
            chosen = named_choice(passes, pipeline)
            self.engine = create_member_engine(package, engine, device, threads, choice=chosen)
        self._quick: Engine | None = None
        self.volume: Volume | None = None
        self.rois: tuple[Roi, ...] = ()
        self.channels: dict[str, Volume] = {}
        self._at_rest = False
        self._turn: Turn | None = None

    def open(self, volume: Volume, rois: Sequence[Roi] = (), channels: Mapping[str, Volume] | None = None) -> None:
        """Take a scan, its regions and its further channels by name for the runs that follow.

        Without regions a model that can search does so before the first run. Boxes come to rest in the first run of the
        scan itself, and the same scan with other intensities is then analysed there, so that results compare; where
        other intensities come first, the scan itself is run before them.
        """
        self.volume, self.rois, self.channels = volume, tuple(rois), dict(channels or {})
        self._at_rest, self._turn = False, None

    def segment(
        self,
        array: NDArray[Any] | None = None,
        keep_probabilities: bool = False,
        progress: Progress = silent,
        is_cancelled: IsCancelled = never,
        sampling: SamplingOptions | None = None,
    ) -> SegmentationResult:
        """Segment the open scan, or other intensities (k, j, i) in its place; the scan itself stays as it is.

        Args:
            sampling: what to draw if the model draws samples; others give their one answer. Level maps and samples
                that would take much of the memory are left out, and a notice says so.

        Raises:
            InputError: no scan is open, the array has another shape, or a search found nothing.
        """
        scan, drawn = self._scan(array), None
        if array is not None:
            self._settle(progress, is_cancelled)
        self._search(progress, is_cancelled)
        follow = array is None and not self._at_rest
        if sampling is not None and has_latents(self.package.metadata):
            drawn = affordable(sampling, scan.grid.shape, latent_layout(self.package.metadata).levels)
        result = segment(
            scan,
            self.package,
            self.engine,
            self.rois,
            keep_probabilities,
            progress,
            is_cancelled,
            drawn,
            channels=self.channels,
            follow=follow,
            turn=self._turn,
        )
        if follow:
            self.rois, self._at_rest = result.rois, True
        if drawn is None or drawn == sampling:
            return result
        return replace(result, notices=(*result.notices, Notice(SAMPLES_LEFT_OUT, TEXTS[SAMPLES_LEFT_OUT])))

    def preview(self, array: NDArray[Any], is_cancelled: IsCancelled = never) -> SegmentationResult:
        """Only labels and maps for other intensities, as fast as they can be had; see ``preview.preview``.

        A network that draws samples has no shorter way: it gives its full result.

        Raises:
            InputError: as ``segment``.
        """
        if has_latents(self.package.metadata):
            return self.segment(array, is_cancelled=is_cancelled)
        if self._quick is None:
            self._quick = preview_engine(self.package, self.engine)
        scan = self._scan(array)
        self._settle(silent, is_cancelled)
        self._search(silent, is_cancelled)
        return preview(scan, self.package, self._quick, self.rois, is_cancelled, self.channels, self._turn)

    def _settle(self, progress: Progress, is_cancelled: IsCancelled) -> None:
        """Let boxes that follow what is found come to rest on the scan itself: damaged, it would show another place."""
        metadata = self.package.metadata
        if not self._at_rest and metadata.locator is not None and not has_latents(metadata):
            self.segment(progress=progress, is_cancelled=is_cancelled)

    def _search(self, progress: Progress, is_cancelled: IsCancelled) -> None:
        """Find the regions where none were given and the model has to search."""
        if self.volume is not None and not self._at_rest:
            found = found_boxes(self.volume, self.package, self.rois, progress, is_cancelled)
            self.rois, self._turn = found.rois, found.turn if self._turn is None else self._turn

    def _scan(self, array: NDArray[Any] | None) -> Volume:
        if self.volume is None:
            raise InputError("No scan is open. Open one first.")
        if array is None:
            return self.volume
        if array.shape != self.volume.grid.shape:
            raise InputError(f"The image has the shape {array.shape}, the open scan {self.volume.grid.shape}.")
        return self.volume.with_array(array)
