"""The main job: a scan in, a segmentation and its uncertainty out, on the scan's own grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analysis import notice_texts as texts
from ..analysis.difficulty_reference import CaseDifficulty
from ..analysis.grey_values import grey_values
from ..analysis.in_samples import InSamples
from ..analysis.intensity_fingerprint import measure
from ..analysis.notice_sentences import listed, say
from ..analysis.notices import about_samples, notices_for
from ..analysis.structures import structure_table
from ..analysis.uncertain_regions import uncertain_regions
from ..analysis.verdict import is_outside
from ..analysis.wholes import asymmetries, whole_rows
from ..arrays.heads import Head
from ..core.checks import check_modality, check_scan
from ..core.errors import InputError, PackageError
from ..core.progress import IsCancelled, Progress, never, part_of, raise_if_cancelled, silent
from ..core.roi import Roi
from ..core.volume import Volume
from .difficulty_assessor import DifficultyAssessor, with_scales
from .engine import Engine
from .fitted_run import as_run, head_of
from .following import Follower, Placement, Settled
from .native.engine import MemberEngine
from .native.notices import about_members
from .native.preparing import channels_in_order
from .native.runner import NativeRunner
from .network_regions import Region, overlap, plan_regions, prepare_region
from .network_run import run_network
from .provenance import Stopwatch, describe_run
from .quality_assessor import QualityAssessor
from .region_merging import Canvas
from .result import SegmentationResult
from .sampling.encoding import has_latents
from .sampling.sampler import RegionSampler
from .sampling.samples_result import SamplingOptions
from .turned import Turn, window_turn

if TYPE_CHECKING:
    from ..packages.package import Package

SURE = 0.95
"""q of the volume range, P > q to P > 1 - q, for packages that bring no fitted one."""

_NOTHING = np.zeros((0, 0, 0, 0), np.float32)

NETWORK_SHARE = 0.9
"""Share of the progress bar that the windows take; the maps and tables take the rest."""


def segment(
    volume: Volume,
    package: Package,
    engine: Engine,
    rois: Sequence[Roi] = (),
    keep_probabilities: bool = False,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
    sampling: SamplingOptions | None = None,
    channels: Mapping[str, Volume] | None = None,
    follow: bool = True,
    turn: Turn | None = None,
    copies: bool | None = None,
) -> SegmentationResult:
    """Segment a scan, or regions of it.

    Each region is brought to the model's orientation and spacing, normalised, run through overlapping windows whose
    evidence is blended, and brought back to the scan's grid slab by slab; label, vacuity and entropy are read there.
    Largest array: float32 evidence, classes x voxels of a region.

    Args:
        volume: one scalar volume of any orientation and spacing.
        package: the model.
        engine: from ``create_engine(package)``.
        rois: boxes to analyse, the whole scan when empty. Labels stand once a region.
        keep_probabilities: also return (C, k, j, i) probabilities; at most one region.
        progress, is_cancelled: called at least once a window.
        sampling: what to draw from a network with latents; its defaults when None. Other networks give one answer.
        channels: further images of the patient by name, for models that take several; the scan is the first channel.
        follow: whether boxes follow the structure that was found in them, for a package that says how large its window
            is (``inference.following``); ``rois`` of the result are where they came to rest.
        turn: rotation (3, 3) in RAS of the patient's pose, where a search found one (``Located.turn``).
        copies: whether each region is also run on mildly disturbed copies, for the forecast of its quality; None: where
            the package's forecast needs them. Networks with latents or several members never are.

    Returns:
        The result on the scan's grid; outside the regions the label is 0, uncertainty and entropy are NaN.

    Raises:
        InputError: the scan or a region cannot be used.
        PackageError, EngineError: the model cannot be run.
        Cancelled: ``is_cancelled`` said so.
    """
    watch = Stopwatch()
    package = as_run(package, engine)
    with watch.stage("check"):
        check_input(volume, package, rois, keep_probabilities, channels)
        regions = plan_regions(volume.grid, package.metadata, rois, turn)
        sampler = _sampler(volume, package, engine, regions, sampling)
        head: Head = head_of(package, engine) if sampler is None else sampler.head
    assessor = None if sampler else DifficultyAssessor.create(package, engine, head)
    simple = sampler is None and not isinstance(engine, MemberEngine)
    quality = QualityAssessor.create(package, engine, copies if simple else False)
    canvas = _canvas(volume, package, regions, keep_probabilities)
    runner = NativeRunner.create(volume, channels or {}, engine, canvas) if isinstance(engine, MemberEngine) else None
    follows = follow and sampler is None and package.metadata.locator is not None
    follower = Follower(volume.grid, package.metadata, head, turn) if follows else None
    settled: list[Settled] = []
    contrast: dict[str, dict[str, float]] = {}
    for number, region in enumerate(regions):
        share = part_of(progress, number / len(regions), (number + 1) / len(regions))
        if runner is not None:
            contrast[region.name] = runner.run(region, watch, share, is_cancelled)
            continue
        run = partial(run_network, package=package, engine=engine, head=head)
        run = run if assessor is None else partial(assessor.run, region=region)
        run = run if sampler is None else partial(sampler.run, region=region)
        settled.append(
            _run_region(volume, package, run, head, region, follower, canvas, quality, watch, share, is_cancelled)
        )
    if runner is None:
        regions = tuple(found.last.region for found in settled)
        contrast = {found.last.region.name: found.last.contrast for found in settled}
    if sampler is not None:
        canvas.ranges.update(sampler.ranges())
    raise_if_cancelled(is_cancelled)
    progress(1.0, "measuring")
    with watch.stage("tables"):
        sampled = {} if sampler is None else sampler.in_samples()
        result = _result(volume, package, regions, canvas, head, contrast, sampled)
        if assessor is not None:
            found = assessor.place(volume, canvas.labels, regions)
            result = with_difficulty(result, found)
        result = quality.assess(result, regions, canvas.overlaps, contrast)
        result = without_promises(result)
    record = describe_run(package, engine, volume.grid, regions, watch, _options(package, canvas, keep_probabilities))
    if runner is not None:
        members = runner.members()
        told = (*result.notices, *about_members(members))
        return replace(result, provenance=record | runner.record(), members=members, notices=told)
    record |= _placed(volume, package, settled, turn) if follower is not None and rois else {}
    if sampler is None:
        return replace(result, provenance=record)
    notices = (*result.notices, *sampler.notices(), *about_samples(result.structures))
    drawn = sampler.result()
    result = replace(result, sampling=drawn, structures=drawn.with_sizes(result.structures))
    return replace(result, provenance=record | sampler.record(), notices=notices)


def check_input(
    volume: Volume,
    package: Package,
    rois: Sequence[Roi],
    keep_probabilities: bool,
    channels: Mapping[str, Volume] | None = None,
) -> None:
    """Raise ``InputError`` or ``PackageError``, before anything runs, for what cannot be segmented."""
    check_scan(volume, needs_3d=len(package.metadata.patch) == 3)
    check_modality(volume.name, volume.modality, package.metadata.modality)
    pipeline = package.metadata.pipeline
    if pipeline is not None:
        channels_in_order(volume, channels or {}, pipeline, package.metadata.name)
    elif channels:
        raise InputError(f"The model '{package.metadata.name}' takes one image; leave out --channel.")
    elif package.metadata.channels != 1:
        raise PackageError(
            f"The model '{package.metadata.name}' wants {package.metadata.channels} images of one patient at once. "
            "This version segments one image at a time; choose a model with one input channel."
        )
    if keep_probabilities and pipeline is not None and pipeline.parts:
        raise InputError(
            f"The model '{package.metadata.name}' joins several networks, whose probabilities are not kept: there "
            "would be too many. Its label map and its map of uncertainty are there without them."
        )
    if keep_probabilities and len(rois) > 1:
        raise InputError("Probabilities can be kept for one region only. Give one region, or run them one by one.")


def _run_region(
    volume: Volume,
    package: Package,
    run: Callable[..., NDArray[np.float32]],
    head: Head,
    region: Region,
    follower: Follower | None,
    canvas: Canvas,
    quality: QualityAssessor,
    watch: Stopwatch,
    progress: Progress,
    is_cancelled: IsCancelled,
) -> Settled:
    """Prepare, run and paint one region, where it comes to rest."""

    def look(where: Region) -> Placement:
        raise_if_cancelled(is_cancelled)
        progress(0.0, f"{region.name}: preparing")
        with watch.stage("prepare"):
            image = prepare_region(volume, where, package.metadata)
            contrast = measure(image[0])
        with watch.stage("network"):
            windows = part_of(progress, 0.0, NETWORK_SHARE, f"{region.name}: ")
            return Placement(where, run(image, progress=windows, is_cancelled=is_cancelled), contrast)

    settled = Settled(look(region), None, {}) if follower is None else follower.settle(region, look)
    raise_if_cancelled(is_cancelled)
    with watch.stage("network"):
        quality.disturb(volume, settled.last, head, is_cancelled)
    progress(NETWORK_SHARE, f"{region.name}: drawing the maps")
    with watch.stage("maps"):
        canvas.paint(settled.last.region, settled.last.channels, head, settled.other)
    return replace(settled, last=replace(settled.last, channels=_NOTHING), other=None)


def _sampler(
    volume: Volume, package: Package, engine: Engine, regions: Sequence[Region], options: SamplingOptions | None
) -> RegionSampler | None:
    """None for a network that gives one answer, unless samples were asked for, which it refuses."""
    if options is None and not has_latents(package.metadata):
        return None
    sampler = RegionSampler(volume, package, engine, options or SamplingOptions())  # type: ignore[arg-type]
    for region in regions:
        sampler.check(region)
    return sampler


def _canvas(volume: Volume, package: Package, regions: Sequence[Region], keep_probabilities: bool) -> Canvas:
    fitted = package.metadata.volume_probability
    moving = package.metadata.locator is not None and len(regions) > 1
    return Canvas(
        volume.grid.shape,
        len(package.metadata.labels),
        sure=SURE if fitted is None else fitted,
        overlapping=moving or overlap(regions),
        keep_probabilities=keep_probabilities,
        wholes=package.metadata.wholes,
        labels=package.metadata.labels,
    )


def _result(
    volume: Volume,
    package: Package,
    regions: Sequence[Region],
    canvas: Canvas,
    head: Head,
    contrast: Mapping[str, Mapping[str, float]],
    sampled: Mapping[int, InSamples],
) -> SegmentationResult:
    """The maps with what is read from them."""
    threshold = package.metadata.threshold
    labels = volume.with_array(canvas.labels, "segmentation")
    uncertainty = volume.with_array(canvas.uncertainty, "uncertainty")
    label_set = tuple(label for region in regions for label in region.label_set)
    rois = tuple(region.roi for region in regions if region.roi is not None)
    structures = structure_table(labels, uncertainty, label_set, threshold, canvas.ranges)
    parts = [count.parts for count in canvas.wholes.values()]
    places = uncertain_regions(labels, uncertainty, label_set, threshold, wholes=parts)
    windows = [region.slices for region in regions] if package.metadata.centred else []
    wholes = whole_rows(canvas.wholes, structures, volume.grid.voxel_volume_mm3)
    values = None if volume.modality else grey_values(volume.array)
    notices = notices_for(
        labels, package.metadata, label_set, structures, places, rois, contrast, windows, values, sampled
    )
    return SegmentationResult(
        image=volume,
        labels=labels,
        uncertainty=uncertainty,
        entropy=volume.with_array(canvas.entropy, "entropy"),
        label_set=label_set,
        rois=rois,
        structures=structures,
        wholes=wholes,
        asymmetries=asymmetries(wholes, [whole.name for whole in package.metadata.wholes]),
        regions=places,
        notices=notices,
        probabilities=canvas.probabilities,
        uncertainty_kind=head.kind,
        threshold=threshold,
    )


def with_difficulty(result: SegmentationResult, found: tuple[CaseDifficulty, ...]) -> SegmentationResult:
    """The result with its place among scans that are known, or the warning that it has none there."""
    names = [case.region for case in found if case.outside]
    where = f" in the region {listed(names)}" if len(names) < len(found) else ""
    outside = (say(texts.DIFFICULTY, where=where),) if names else ()
    structures = with_scales(result.structures, found)
    return replace(result, difficulty=found, structures=structures, notices=(*result.notices, *outside))


def without_promises(result: SegmentationResult) -> SegmentationResult:
    """Where the scan is outside of what the model knows, nothing holds that was measured on scans that it knows: no
    range of a volume, and no word on how hard the scan is."""
    if not is_outside(result.notices):
        return result
    nan = float("nan")
    unknown = {"volume_low_ml": nan, "volume_high_ml": nan, "difficulty": ""}
    return replace(
        result,
        structures=tuple(replace(row, **unknown) for row in result.structures),  # type: ignore[arg-type]
        wholes=tuple(replace(row, volume_low_ml=nan, volume_high_ml=nan) for row in result.wholes),
        asymmetries=tuple(replace(row, low=nan, high=nan) for row in result.asymmetries),
        difficulty=tuple(replace(case, outside=True) for case in result.difficulty),
    )


def _placed(volume: Volume, package: Package, settled: Sequence[Settled], turn: Turn | None) -> dict[str, Any]:
    """For the record: the boxes as drawn and as used, and how their windows lay in the patient (RAS, 3 x 3), None along
    the scan's own axes."""
    turned = window_turn(volume.grid, package.metadata, turn)
    return {"boxes": [found.record for found in settled], "turn": None if turned is None else turned.tolist()}


def _options(package: Package, canvas: Canvas, keep_probabilities: bool) -> dict[str, Any]:
    metadata = package.metadata
    return {
        "patch_kji": list(metadata.patch),
        "overlap": metadata.overlap,
        "normalisation": metadata.normalisation,
        "threshold": metadata.threshold,
        "volume_probability": canvas.sure,
        "keep_probabilities": keep_probabilities,
    }
