"""Warnings about a scan that is unlike the training data: units, field of view, spacing, grey values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..core.checks import modality_family
from ..core.roi import roi_slices
from ..core.volume import Grid
from ..packages.metadata import PackageMetadata
from . import notice_texts as texts
from .analysed_parts import Analysed
from .grey_values import GreyValues
from .intensity_fingerprint import DESCRIPTIONS
from .notice_sentences import lengths, say, span
from .rows import Notice

SPACING_TOLERANCE = 1.25
"""Spacings within this factor of the training data's are resampled without a visible loss."""

NEGLIGIBLE = 2
"""Voxels at a side of a box that a model may leave out without a word."""

AIR = 0.01
"""A scan with this share of voxels in the values of air and lungs is a CT; noise on scans of other kinds brings hardly
any voxel there (docs/warnings.md)."""

WHOLE = 1.5
"""A scan larger than the largest training box by this factor is no box around the structure."""

SELECTIVE = ("skewness", "kurtosis", "middle")
SLACK = 0.25
"""Grey values count as unlike the training data when one of these measures lies outside its range by this share of the
range. The others (edges, background) differ on good scans of other scanners as often as on bad ones (docs/warnings.md).
"""

Contrast = Mapping[str, Mapping[str, float]]


def about_units(metadata: PackageMetadata, values: GreyValues) -> Iterator[Notice]:
    """CT has air far below 0, other scans have nothing there."""
    is_for_ct = modality_family(metadata.modality) == "CT"
    if is_for_ct and values.lowest >= 0.0:
        yield say(texts.NOT_HOUNSFIELD, model=metadata.name)
    elif not is_for_ct and metadata.modality and values.air >= AIR:
        yield say(texts.HOUNSFIELD, model=metadata.name, modality=metadata.modality, share=values.air)


def about_scan(grid: Grid, metadata: PackageMetadata, blocks: list[Analysed], contrast: Contrast) -> Iterator[Notice]:
    """What differs from the training data: field of view, spacing, grey values."""
    yield from _spacing(grid, metadata)
    yield from (notice for block in blocks for notice in _extent(block, metadata))
    yield from (notice for block in blocks for notice in _left_out(grid, block, metadata))
    yield from _grey_values(blocks, metadata, contrast)


def _spacing(grid: Grid, metadata: PackageMetadata) -> Iterator[Notice]:
    expected = metadata.expected.spacing_mm
    if expected is None:
        return
    low, high = expected[0] / SPACING_TOLERANCE, expected[1] * SPACING_TOLERANCE
    if min(grid.spacing) < low or max(grid.spacing) > high:
        yield say(texts.SPACING, spacing=lengths(grid.spacing, 2), model=metadata.name, expected=span(expected, 2))


def _extent(block: Analysed, metadata: PackageMetadata) -> Iterator[Notice]:
    expected = metadata.expected.extent_mm
    if expected is None:
        return
    # a digit more than people need, so that a size just outside never reads as one inside
    facts = {"extent": lengths(block.grid.extent_mm, 1), "model": metadata.name, "expected": span(expected, 1)}
    if block.roi is None and max(block.grid.extent_mm) > WHOLE * expected[1]:
        yield say(texts.REGION_NEEDED, **facts)
    elif min(block.grid.extent_mm) < expected[0] or max(block.grid.extent_mm) > expected[1]:
        yield say(texts.EXTENT, where=block.where, **facts)


def _left_out(grid: Grid, block: Analysed, metadata: PackageMetadata) -> Iterator[Notice]:
    """A model that sees the middle of a box did not see all of a larger one."""
    if block.window is None:
        return
    box = roi_slices(grid, block.roi) if block.roi else tuple(slice(0, n) for n in grid.shape)
    if any(max(w.start - b.start, b.stop - w.stop) > NEGLIGIBLE for w, b in zip(block.window, box, strict=True)):
        seen = [(part.stop - part.start) * mm for part, mm in zip(block.window, grid.spacing_kji, strict=True)]
        facts = {"found": lengths(block.grid.extent_mm, 0), "seen": lengths(reversed(seen), 0)}
        yield say(texts.MIDDLE_ONLY, where=block.where, model=metadata.name, **facts)


def _grey_values(blocks: list[Analysed], metadata: PackageMetadata, contrast: Contrast) -> Iterator[Notice]:
    outside = [(block, found) for block in blocks if (found := _unlike(metadata, contrast.get(block.name, {})))]
    if outside:
        measures = dict.fromkeys(measure for _, found in outside for measure in found)
        facts = {"model": metadata.name, "modality": metadata.modality, "task": metadata.task}
        where = _together([block for block, _ in outside])
        yield say(texts.CONTRAST, where=where, measures=", ".join(measures), **facts)


def _together(blocks: Sequence[Analysed]) -> str:
    """Several regions in one phrase."""
    if len(blocks) == 1:
        return blocks[0].where
    *first, last = [f"'{block.name}'" for block in blocks]
    return f"the regions {', '.join(first)} and {last}"


def _unlike(metadata: PackageMetadata, measures: Mapping[str, float]) -> list[str]:
    """In words, the selective measures that lie well outside the range of the training data."""
    found = []
    for name in SELECTIVE:
        if name in measures and name in metadata.expected.contrast:
            low, high = metadata.expected.contrast[name]
            slack = SLACK * (high - low)
            if not low - slack <= measures[name] <= high + slack:
                found.append(DESCRIPTIONS[name])
    return found
