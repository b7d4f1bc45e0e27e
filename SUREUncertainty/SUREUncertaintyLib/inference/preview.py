"""Labels and maps of a scan as fast as they can be had, for a picture that follows the hand.

The same windows, blending and maps as ``segmenter.segment``, without tables, places, notices and difficulty, and on an
engine that may compute in a lower precision. What a person keeps or reads off comes from ``segment``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.progress import IsCancelled, never, silent
from ..core.roi import Roi
from ..core.volume import Volume
from .engine import Engine
from .fitted_run import as_run, head_of
from .native.engine import MemberEngine
from .native.runner import NativeRunner
from .network_regions import overlap, plan_regions, prepare_region
from .network_run import run_network
from .openvino_engine import QUICK, OpenVinoEngine
from .region_merging import Canvas
from .result import SegmentationResult
from .turned import Turn

if TYPE_CHECKING:
    from ..packages.package import Package


def preview_engine(package: Package, engine: Engine) -> Engine:
    """The engine that previews run on: OpenVINO in bfloat16 where the processor has it, else ``engine`` itself.

    Of several networks and mirrored passes only the first runs.
    """
    if isinstance(engine, MemberEngine):
        return engine.fastest()
    if not isinstance(engine, OpenVinoEngine):
        return engine
    quick = OpenVinoEngine(package, engine.device, engine.threads, QUICK)
    return quick if quick.precision == QUICK else engine


def preview(
    volume: Volume,
    package: Package,
    engine: Engine,
    rois: Sequence[Roi] = (),
    is_cancelled: IsCancelled = never,
    channels: Mapping[str, Volume] | None = None,
    turn: Turn | None = None,
) -> SegmentationResult:
    """Segment a scan that was segmented before, with other intensities; see ``segmenter.segment``.

    Returns:
        labels and maps on the scan's grid; no structures, regions and notices, and a provenance that says so.

    Raises:
        Cancelled: ``is_cancelled`` said so.
    """
    package = as_run(package, engine)
    metadata = package.metadata
    regions = plan_regions(volume.grid, metadata, rois, turn)
    head = head_of(package, engine)
    canvas = Canvas(volume.grid.shape, len(metadata.labels), overlapping=overlap(regions))
    for region in regions:
        if isinstance(engine, MemberEngine):
            runner = NativeRunner.create(volume, channels or {}, engine, canvas)
            runner.paint_image(region, runner.prepare(region), silent, is_cancelled)
            continue
        image = prepare_region(volume, region, metadata)
        canvas.paint(region, run_network(image, package, engine, head, silent, is_cancelled), head)
    return SegmentationResult(
        image=volume,
        labels=volume.with_array(canvas.labels, "segmentation"),
        uncertainty=volume.with_array(canvas.uncertainty, "uncertainty"),
        entropy=volume.with_array(canvas.entropy, "entropy"),
        label_set=tuple(label for region in regions for label in region.label_set),
        rois=tuple(rois),
        uncertainty_kind=head.kind,
        threshold=metadata.threshold,
        provenance={
            "model": {"name": metadata.name, "version": metadata.version},
            "engine": engine.name,
            "device": engine.device,
            "preview": engine.precision,
        },
    )
