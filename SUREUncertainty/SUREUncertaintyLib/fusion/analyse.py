"""Masks or probability maps that exist already, as an ordinary result: no network runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..analysis.agreement import Members
from ..analysis.notices import notices_without_model
from ..analysis.rows import Notice, StructureRow
from ..analysis.structures import structure_table
from ..analysis.uncertain_regions import uncertain_regions
from ..core.checks import check_scan
from ..core.errors import InputError
from ..core.labels import Label
from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..core.volume import Volume
from ..files.reading import read_volume
from ..inference.provenance import Stopwatch
from ..inference.result import SegmentationResult
from .beside import SavedLabelMaps
from .fused import Fused, fuse_masks, fusion_of, require_alike, threshold_of
from .masks import naming_of, read_mask
from .naming import Naming, check_channels, unnamed
from .notices import about_masks, about_outcome, say
from .probabilities import read_probabilities
from .record import MAP, MASK, Source, identify, record


@dataclass(frozen=True)
class CorruptionInput:
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
    given: CorruptionInput, progress: Progress = silent, is_cancelled: IsCancelled = never
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
    watch, scan, sources = _begin(given, progress)
    with watch.stage("reading"):
        each = _each(sources, progress, is_cancelled)
        masks = [read_mask(source.path, source.name, scan) for source in each]
    naming = naming_of(masks, given.naming)
    with watch.stage("maps"):
        fused = fuse_masks([mask.array for mask in masks], list(naming.names))
    return _result(given, scan, sources, naming, fused, MASK, [*about_masks(masks, fused.tied)], watch)


def analyse_probabilities(
    given: CorruptionInput, progress: Progress = silent, is_cancelled: IsCancelled = never
) -> SegmentationResult:
    """One or more probability maps: the most probable classes, their entropy, and what several maps disagree about.

    Memory: the probabilities of two maps (one as read, one summed up), and a byte a voxel and map.

    Raises:
        InputError: unreadable, on other voxels, no probabilities, or of other classes than the names. Cancelled.
    """
    watch, scan, sources = _begin(given, progress)
    regions = given.regions if given.naming is None else given.naming.regions
    saved = SavedLabelMaps(scan, given.image)
    shapes: list[tuple[int, ...]] = []
    with watch.stage("reading"):
        for source in _each(sources, progress, is_cancelled):
            label_map = saved.beside(source.path)
            array = read_probabilities(source.path, scan, label_map, regions)
            if not shapes:
                naming = _naming(given.naming, len(array), regions, source.name)
                fusion = fusion_of(list(naming.names), regions)
            shapes.append(array.shape)
            require_alike(source.name, shapes[-1], sources[0].name, shapes[0])
            saved.compare(source.name, source.path, fusion.add(array), label_map)
    with watch.stage("maps"):
        fused = fusion.fused()
    about_regions = [say("regions-drawn")] if regions else []
    return _result(given, scan, sources, naming, fused, MAP, [*saved.notices(), *about_regions], watch)


def _naming(given: Naming | None, channels: int, regions: bool, file: str) -> Naming:
    """The names of the channels, checked against their number."""
    naming = given or unnamed(range(1, channels + 1 if regions else channels), regions)
    check_channels(naming, channels, file)
    return naming


def _begin(given: CorruptionInput, progress: Progress) -> tuple[Stopwatch, Volume, tuple[Source, ...]]:
    if not given.files:
        raise InputError("No mask and no probability map was given.")
    progress(0.0, "reading the scan")
    watch = Stopwatch()
    with watch.stage("reading"):
        sources = identify(given.files)
        scan = read_volume(given.image)
        check_scan(scan, needs_3d=False)
    return watch, scan, sources


def _each(sources: Sequence[Source], progress: Progress, is_cancelled: IsCancelled) -> Iterator[Source]:
    """Every source in turn, as long as nobody cancels."""
    for number, source in enumerate(sources):
        raise_if_cancelled(is_cancelled)
        progress(number / len(sources), f"reading {source.name}")
        yield source


def _result(
    given: CorruptionInput,
    scan: Volume,
    sources: Sequence[Source],
    naming: Naming,
    fused: Fused,
    noun: str,
    notices: Sequence[Notice],
    watch: Stopwatch,
) -> SegmentationResult:
    label_set = naming.labels()
    threshold = threshold_of(len(label_set) + 1, naming.regions)
    labels = scan.with_array(fused.labels, "segmentation")
    uncertainty = scan.with_array(fused.maps.entropy, "uncertainty")
    with watch.stage("tables"):
        structures = _structures(labels, uncertainty, label_set, threshold, fused)
        places = uncertain_regions(labels, uncertainty, label_set, threshold)
        warned = (
            *notices,
            *about_outcome(structures, places),
            *notices_without_model(labels, label_set, structures, [place for place in places if not place.is_island]),
        )
    options = {"threshold": threshold, "regions": naming.regions}
    return SegmentationResult(
        image=scan,
        labels=labels,
        uncertainty=uncertainty,
        entropy=uncertainty.with_array(fused.maps.entropy, "entropy"),
        label_set=label_set,
        structures=structures,
        regions=places,
        notices=warned,
        uncertainty_kind="entropy",
        threshold=threshold,
        members=_members(scan, sources, label_set, fused, noun),
        provenance=record(noun, given.image, scan.grid, sources, naming.source, options, watch),
    )


def _structures(
    labels: Volume, uncertainty: Volume, label_set: Sequence[Label], threshold: float, fused: Fused
) -> tuple[StructureRow, ...]:
    """One row a structure; of regions that may overlap each is measured whole."""
    if not fused.regions:
        return structure_table(labels, uncertainty, label_set, threshold, fused.ranges)
    rows: list[StructureRow] = []
    for label in label_set:
        whole = labels.with_array(_filled(fused.regions, label.value))
        rows += structure_table(whole, uncertainty, [label], threshold, fused.ranges)
    return tuple(rows)


def _filled(regions: Mapping[int, NDArray[np.bool_]], value: int) -> NDArray[np.uint8]:
    return regions[value].astype(np.uint8) * np.uint8(value)


def _members(
    scan: Volume, sources: Sequence[Source], label_set: Sequence[Label], fused: Fused, noun: str
) -> Members | None:
    """None for a single member."""
    if fused.counts is None:
        return None
    names = [label.name for label in label_set]
    rows = fused.counts.structures(names, scan.grid.voxel_volume_mm3)
    maps = {
        "expected_entropy": scan.with_array(fused.maps.expected_entropy, "expected_entropy"),
        "mutual_information": scan.with_array(fused.maps.mutual_information, "mutual_information"),
    }
    # outlines have no entropy of their own, so both maps would repeat what the entropy says
    return Members(tuple(source.name for source in sources), noun, rows, {} if noun == MASK else maps)
