"""Masks or probability maps that exist already, as an ordinary result: no network runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.checks import check_scan
from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..files.reading import read_volume
from ..inference.provenance import Stopwatch
from ..inference.result import SegmentationResult
from .class_names import Naming, check_channels, unnamed
from .fuse import fuse_masks, fusion_of, require_alike
from .fused_result import Case, assemble
from .masks import naming_of, read_mask
from .notices import about_maps, about_masks
from .probabilities import read_probabilities
from .saved_label_map import SavedLabelMaps
from .source_record import MAP, MASK, Source, identify


@dataclass(frozen=True)
class FusionInput:
    """What there is on disk.

    Attributes:
        image: the scan. files: label maps, or probability maps.
        naming: what labels or channels mean, None where nobody said.
        regions: channels of probability maps may overlap, although no dataset.json says so.
    """

    image: Path
    files: Sequence[Path]
    naming: Naming | None = None
    regions: bool = False


def analyse_masks(
    given: FusionInput, progress: Progress = silent, is_cancelled: IsCancelled = never
) -> SegmentationResult:
    """The consensus of two or more label maps and where they differ.

    Memory: a byte a voxel and mask, and slabs.

    Raises:
        InputError: fewer than two, unreadable, on other voxels, or differently numbered. Cancelled.
    """
    if len(given.files) < 2:
        raise InputError(
            "One mask has nothing to differ from, so there is no uncertainty to show. Give two or more masks of the "
            "same scan, or the probabilities that the network saved (--probabilities)."
        )
    case = _begin(given, MASK, progress)
    with case.watch.stage("reading"):
        each = _each(case.sources, progress, is_cancelled)
        masks = [read_mask(source.path, source.name, case.scan) for source in each]
    naming = naming_of(masks, given.naming)
    with case.watch.stage("maps"):
        fused = fuse_masks([mask.array for mask in masks], list(naming.names))
    return assemble(case, naming, fused, [*about_masks(masks, fused.tied)])


def analyse_probabilities(
    given: FusionInput, progress: Progress = silent, is_cancelled: IsCancelled = never
) -> SegmentationResult:
    """One or more probability maps: the most probable classes, their entropy, and what several maps disagree about.

    Memory: the probabilities of two maps (one as read, one summed up), and a byte a voxel and map.

    Raises:
        InputError: unreadable, on other voxels, no probabilities, or of other classes than the names. Cancelled.
    """
    case = _begin(given, MAP, progress)
    regions = given.regions if given.naming is None else given.naming.regions
    saved = SavedLabelMaps(case.scan, given.image)
    shapes: list[tuple[int, ...]] = []
    with case.watch.stage("reading"):
        for source in _each(case.sources, progress, is_cancelled):
            label_map = saved.beside(source.path)
            array = read_probabilities(source.path, case.scan, label_map, regions)
            if not shapes:
                naming = _naming(given.naming, len(array), regions, source.name)
                fusion = fusion_of(list(naming.names), regions)
            shapes.append(array.shape)
            require_alike(source.name, shapes[-1], case.sources[0].name, shapes[0])
            saved.compare(source.name, source.path, fusion.add(array), label_map)
    with case.watch.stage("maps"):
        fused = fusion.fused()
    return assemble(case, naming, fused, [*saved.notices(), *about_maps(case.sources, regions)])


def _naming(given: Naming | None, channels: int, regions: bool, file: str) -> Naming:
    """The names of the channels, checked against their number."""
    naming = given or unnamed(range(1, channels + 1 if regions else channels), regions)
    check_channels(naming, channels, file)
    return naming


def _begin(given: FusionInput, noun: str, progress: Progress) -> Case:
    """The scan, and every file's name and checksum."""
    if not given.files:
        raise InputError("No mask and no probability map was given.")
    progress(0.0, "reading the scan")
    watch = Stopwatch()
    with watch.stage("reading"):
        sources = identify(given.files)
        scan = read_volume(given.image)
        check_scan(scan, needs_3d=False)
    return Case(given.image, scan, sources, noun, watch)


def _each(sources: Sequence[Source], progress: Progress, is_cancelled: IsCancelled) -> Iterator[Source]:
    """Every source in turn, as long as nobody cancels."""
    for number, source in enumerate(sources):
        raise_if_cancelled(is_cancelled)
        progress(number / len(sources), f"reading {source.name}")
        yield source
