"""Warnings in plain words: what about this result should make a person look twice."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from ..core.checks import modality_family
from ..core.roi import Roi
from ..core.roi import roi_grid
from ..core.roi import roi_slices
from ..core.volume import Grid
from ..core.volume import Volume
from ..packages.metadata import Label
from ..packages.metadata import PackageMetadata
from . import texts
from .fingerprint import DESCRIPTIONS
from .rows import DoubtfulRegion
from .rows import Notice
from .rows import StructureRow
from .touching import at_image_edge
from .touching import at_roi_edge
from .touching import at_window_edge
from .touching import pieces_of
from .touching import share_structure

SPACING_TOLERANCE = 1.25
"""Spacings within this factor of the training data's are resampled without a visible loss."""

WHOLE_SHARE = 0.99
"""A structure whose largest piece holds less than this share is in pieces; a few stray voxels are not worth a warning,
the map of doubt shows them."""

NEGLIGIBLE = 2
"""Voxels at a side of a box that a model may leave out without a word."""

AIR = -900.0
"""HU: air on CT lies near -1000; scans of other kinds hold no such values."""

Block = tuple[slice, slice, slice]
Contrast = Mapping[str, Mapping[str, float]]
WHOLE = "scan"


@dataclass(frozen=True)
class _Block:
    """A part of the scan that was analysed, and its labels; ``window``: the voxels that were, where they are others."""

    name: str
    grid: Grid
    label_set: Sequence[Label]
    roi: Roi | None = None
    window: Block | None = None

    @property
    def where(self) -> str:
        return "the scan" if self.roi is None else f"the region '{self.name}'"


def notices_for(
    labels: Volume,
    metadata: PackageMetadata,
    label_set: Sequence[Label],
    structures: Sequence[StructureRow],
    regions: Sequence[DoubtfulRegion] = (),
    rois: Sequence[Roi] = (),
    contrast: Contrast | None = None,
    windows: Sequence[Block] = (),
    lowest: float | None = None,
) -> tuple[Notice, ...]:
    """Every warning that the result deserves, the gravest first; none for an ordinary result.

    Args:
        labels: label map on the input's grid.
        label_set: foreground labels of the result; with regions of interest the package's labels, once a region.
        structures, regions: the tables of the result.
        rois: what was analysed, the whole scan when empty.
        contrast: ``fingerprint.measure`` of each region's image on the model's grid, by the region's name, ``"scan"``
            for the whole scan.
        windows: the voxels (k, j, i) that a model saw which outlines one thing in a box, a region; empty for others.
        lowest: value of the scan's darkest voxel, None when the file itself says what kind of scan it is.
    """
    blocks = _blocks(labels.grid, label_set, rois, windows)
    return (
        *((_say(texts.PLACE_UNKNOWN),) if not labels.placed else ()),
        *(_about_units(metadata, lowest) if lowest is not None else ()),
        *_about_scan(labels.grid, metadata, blocks, contrast or {}),
        *_about_findings(blocks, metadata, structures),
        *_about_edges(labels, blocks, metadata),
        *_about_overlap(labels, () if windows else rois),
        *_about_pieces(labels, structures),
        *_about_doubt(structures, regions),
    )


def _about_units(metadata: PackageMetadata, lowest: float) -> Iterator[Notice]:
    """CT has air far below 0, other scans have nothing there."""
    is_for_ct = modality_family(metadata.modality) == "CT"
    if is_for_ct and lowest >= 0.0:
        yield _say(texts.NOT_HOUNSFIELD, model=metadata.name)
    elif not is_for_ct and metadata.modality and lowest <= AIR:
        yield _say(texts.HOUNSFIELD, model=metadata.name, modality=metadata.modality, lowest=lowest)


def _blocks(grid: Grid, label_set: Sequence[Label], rois: Sequence[Roi], windows: Sequence[Block] = ()) -> list[_Block]:
    seen: list[Block | None] = [*windows] or [None] * max(1, len(rois))
    if not rois:
        return [_Block(WHOLE, grid, label_set, None, seen[0])]
    each = len(label_set) // len(rois)
    return [
        _Block(roi.name, roi_grid(grid, roi), label_set[n * each : (n + 1) * each], roi, seen[n])
        for n, roi in enumerate(rois)
    ]


def _about_scan(grid: Grid, metadata: PackageMetadata, blocks: list[_Block], contrast: Contrast) -> Iterator[Notice]:
    """What differs from the training data: field of view, spacing, grey values."""
    yield from _spacing(grid, metadata)
    extent = [notice for block in blocks for notice in _extent(block, metadata)]
    yield from extent
    yield from (notice for block in blocks for notice in _left_out(grid, block, metadata))
    # grey values of a much larger field of view differ anyway
    if not any(notice.code == texts.REGION_NEEDED for notice in extent):
        yield from _grey_values(blocks, metadata, contrast)


def _spacing(grid: Grid, metadata: PackageMetadata) -> Iterator[Notice]:
    expected = metadata.expected.spacing_mm
    if expected is None:
        return
    low, high = expected[0] / SPACING_TOLERANCE, expected[1] * SPACING_TOLERANCE
    if min(grid.spacing) < low or max(grid.spacing) > high:
        yield _say(texts.SPACING, spacing=_lengths(grid.spacing, 2), model=metadata.name, expected=_span(expected, 2))


def _extent(block: _Block, metadata: PackageMetadata) -> Iterator[Notice]:
    expected = metadata.expected.extent_mm
    if expected is None:
        return
    # a digit more than people need, so that a size just outside never reads as one inside
    facts = {"extent": _lengths(block.grid.extent_mm, 1), "model": metadata.name, "expected": _span(expected, 1)}
    if block.roi is None and max(block.grid.extent_mm) > expected[1]:
        yield _say(texts.REGION_NEEDED, **facts)
    elif min(block.grid.extent_mm) < expected[0] or max(block.grid.extent_mm) > expected[1]:
        yield _say(texts.EXTENT, where=block.where, **facts)


def _left_out(grid: Grid, block: _Block, metadata: PackageMetadata) -> Iterator[Notice]:
    """A model that sees the middle of a box did not see all of a larger one."""
    if block.window is None:
        return
    box = roi_slices(grid, block.roi) if block.roi else tuple(slice(0, n) for n in grid.shape)
    if any(max(w.start - b.start, b.stop - w.stop) > NEGLIGIBLE for w, b in zip(block.window, box, strict=True)):
        seen = [(part.stop - part.start) * mm for part, mm in zip(block.window, grid.spacing_kji, strict=True)]
        facts = {"found": _lengths(block.grid.extent_mm, 0), "seen": _lengths(reversed(seen), 0)}
        yield _say(texts.MIDDLE_ONLY, where=block.where, model=metadata.name, **facts)


def _grey_values(blocks: list[_Block], metadata: PackageMetadata, contrast: Contrast) -> Iterator[Notice]:
    outside = [(block, found) for block in blocks if (found := _unlike(metadata, contrast.get(block.name, {})))]
    if outside:
        measures = dict.fromkeys(measure for _, found in outside for measure in found)
        facts = {"model": metadata.name, "modality": metadata.modality, "task": metadata.task}
        where = _together([block for block, _ in outside])
        yield _say(texts.CONTRAST, where=where, measures=", ".join(measures), **facts)


def _together(blocks: Sequence[_Block]) -> str:
    """Several regions in one phrase."""
    if len(blocks) == 1:
        return blocks[0].where
    *first, last = [f"'{block.name}'" for block in blocks]
    return f"the regions {', '.join(first)} and {last}"


def _unlike(metadata: PackageMetadata, measures: Mapping[str, float]) -> list[str]:
    """In words, the measures outside the range of the training data."""
    return [
        DESCRIPTIONS.get(name, name)
        for name, (low, high) in metadata.expected.contrast.items()
        if name in measures and not low <= measures[name] <= high
    ]


def _about_findings(
    blocks: list[_Block], metadata: PackageMetadata, structures: Sequence[StructureRow]
) -> Iterator[Notice]:
    voxels = {row.value: row.voxels for row in structures}
    missing: list[str] = []
    for block in blocks:
        empty = [label.name for label in block.label_set if not voxels.get(label.value)]
        if len(empty) == len(block.label_set):
            yield _say(texts.NOTHING_FOUND, where=block.where, model=metadata.name)
        else:
            missing += empty
    if missing:
        yield _say(texts.STRUCTURE_MISSING, names=_list(missing))
    unlike = [text for block in blocks for text in _unlike_sizes(block, metadata, structures)]
    if unlike:
        yield _say(texts.VOLUME, names=_list(unlike))


def _unlike_sizes(block: _Block, metadata: PackageMetadata, structures: Sequence[StructureRow]) -> Iterator[str]:
    """Structures that were found, with a volume outside the range of the training data."""
    volumes = {row.value: row.volume_ml for row in structures if row.voxels}
    for label, own in zip(block.label_set, metadata.foreground, strict=False):
        expected = metadata.expected.volume_ml.get(own.name)
        volume = volumes.get(label.value)
        if expected is not None and volume is not None and not expected[0] <= volume <= expected[1]:
            yield f"{label.name} ({volume:.2f} ml, expected {_span(expected, 2)} ml)"


def _about_edges(labels: Volume, blocks: list[_Block], metadata: PackageMetadata) -> Iterator[Notice]:
    image = at_image_edge(labels.array)
    cut = {texts.CUT_BY_IMAGE: image, texts.CUT_BY_WINDOW: set[int](), texts.CUT_BY_ROI: set[int]()}
    for block in blocks:
        if block.window is not None:
            cut[texts.CUT_BY_WINDOW] |= at_window_edge(labels.array, block.window, len(metadata.patch))
        elif block.roi is not None:
            cut[texts.CUT_BY_ROI] |= at_roi_edge(labels.array, labels.grid, block.roi) - image
    for code, values in cut.items():
        names = [label.name for block in blocks for label in block.label_set if label.value in values]
        if names:
            yield _say(code, names=_list(names), model=metadata.name)


def _about_overlap(labels: Volume, rois: Sequence[Roi]) -> Iterator[Notice]:
    pairs = [
        f"'{one.name}' and '{other.name}'"
        for one, other in combinations(rois, 2)
        if share_structure(labels.array, labels.grid, one, other)
    ]
    if pairs:
        yield _say(texts.REGIONS_OVERLAP, pairs="; ".join(pairs))


def _about_pieces(labels: Volume, structures: Sequence[StructureRow]) -> Iterator[Notice]:
    pieces = pieces_of(labels.array, [row.value for row in structures])
    names = [
        f"{row.name} ({len(sizes)} pieces, the largest holds {sizes[0] / sizes.sum():.0%})"
        for row in structures
        if (sizes := pieces.get(row.value)) is not None and sizes[0] < WHOLE_SHARE * sizes.sum()
    ]
    if names:
        yield _say(texts.SEVERAL_PIECES, names=_list(names))


def _about_doubt(structures: Sequence[StructureRow], regions: Sequence[DoubtfulRegion]) -> Iterator[Notice]:
    doubtful = [row.name for row in structures if row.share_over_threshold > 0.5]
    if doubtful:
        yield _say(texts.MOSTLY_DOUBTFUL, names=_list(doubtful))
    islands = [region for region in regions if region.is_island]
    if islands:
        r, a, s = islands[0].centre_ras
        one = len(islands) == 1
        yield _say(
            texts.DOUBTFUL_ISLANDS,
            count=len(islands),
            places="place touches" if one else "places touch",
            first="it lies" if one else "the first lies",
            position=f"R {r:.0f}, A {a:.0f}, S {s:.0f}",
        )


def _say(code: str, **facts: object) -> Notice:
    return Notice(code, texts.TEXTS[code].format(**facts))


def _list(names: Sequence[str]) -> str:
    return "; ".join(names)


def _lengths(values: Iterable[float], digits: int, between: str = " x ") -> str:
    """Lengths with that many decimals, and two places of what would be nothing with them."""
    return between.join(f"{value:.{digits}f}" if value >= 10.0**-digits else f"{value:.2g}" for value in values)


def _span(values: tuple[float, float], digits: int) -> str:
    low, high = (f"{value:.{digits}f}" for value in values)
    return low if low == high else f"{low} to {high}"
