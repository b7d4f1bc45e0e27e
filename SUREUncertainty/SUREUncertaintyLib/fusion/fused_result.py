"""What was fused as an ordinary result: tables, warnings, agreement, and the record of where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..analysis.agreement import Members
from ..analysis.notices import notices_without_model
from ..analysis.rows import Notice, StructureRow, UncertainRegion
from ..analysis.structures import structure_table
from ..analysis.uncertain_regions import uncertain_regions
from ..core.labels import Label
from ..core.volume import Volume
from ..inference.provenance import Stopwatch
from ..inference.result import SegmentationResult
from .class_names import Naming
from .fuse import Fused, threshold_of
from .notices import about_outcome
from .source_record import MASK, Source, record


@dataclass(frozen=True, eq=False)
class Case:
    """A scan and what was given for it; ``noun`` is ``record.MASK`` or ``record.MAP``."""

    image: Path
    scan: Volume
    sources: tuple[Source, ...]
    noun: str
    watch: Stopwatch


def assemble(case: Case, naming: Naming, fused: Fused, notices: Sequence[Notice]) -> SegmentationResult:
    """The result of a case; ``notices`` are those about what was given."""
    label_set = naming.labels()
    threshold = threshold_of(len(label_set) + 1, naming.regions)
    labels = case.scan.with_array(fused.labels, "segmentation")
    uncertainty = case.scan.with_array(fused.maps.entropy, "uncertainty")
    with case.watch.stage("tables"):
        structures = _structures(labels, uncertainty, label_set, threshold, fused)
        places = uncertain_regions(labels, uncertainty, label_set, threshold)
        warned = (*notices, *_about(labels, label_set, structures, places))
    options = {"threshold": threshold, "regions": naming.regions}
    return SegmentationResult(
        image=case.scan,
        labels=labels,
        uncertainty=uncertainty,
        entropy=case.scan.with_array(fused.maps.entropy, "entropy"),
        label_set=label_set,
        structures=structures,
        regions=places,
        notices=warned,
        uncertainty_kind="entropy",
        threshold=threshold,
        members=_members(case, label_set, fused),
        provenance=record(case.noun, case.image, case.scan.grid, case.sources, naming.source, options, case.watch),
    )


def _about(
    labels: Volume,
    label_set: Sequence[Label],
    structures: Sequence[StructureRow],
    places: Sequence[UncertainRegion],
) -> tuple[Notice, ...]:
    """Warnings about the outcome; those about regions away from any structure are in words for given files."""
    touching = [place for place in places if not place.is_island]
    return (*about_outcome(structures, places), *notices_without_model(labels, label_set, structures, touching))


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


def _members(case: Case, label_set: Sequence[Label], fused: Fused) -> Members | None:
    """None for a single member. Outlines have no entropy of their own, so their maps would repeat the entropy."""
    if fused.counts is None:
        return None
    rows = fused.counts.structures([label.name for label in label_set], case.scan.grid.voxel_volume_mm3)
    arrays = {
        "expected_entropy": fused.maps.expected_entropy,
        "mutual_information": fused.maps.mutual_information,
    }
    maps = {} if case.noun == MASK else {name: case.scan.with_array(array, name) for name, array in arrays.items()}
    return Members(tuple(source.name for source in case.sources), case.noun, rows, maps)
