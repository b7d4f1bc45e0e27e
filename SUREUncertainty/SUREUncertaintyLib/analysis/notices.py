"""Warnings in plain words: what about this result should make a person look twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import isfinite

from ..core.geometry import STACK, across_stack
from ..core.labels import Label
from ..core.roi import Roi
from ..core.volume import Volume
from ..packages.metadata import PackageMetadata
from . import notice_texts as texts
from .analysed_parts import Analysed, Block, analysed_parts
from .edge_and_pieces import at_image_edge, at_roi_edge, at_window_edge, pieces_of, share_structure
from .ejection_fraction import cavity_slices
from .grey_values import GreyValues
from .in_samples import InSamples, in_some_samples
from .notice_sentences import listed, say, span
from .rows import Notice, StructureRow, UncertainRegion
from .scan_notices import Contrast, about_scan, about_units
from .stack_ends import ends_in_cavity, lacks_apex
from .volume_range import MM3_PER_ML

FAR = 1.5
"""A volume beyond the range of the training data by this factor is far from it."""

LESS_SURE, WIDE, UNTOLD = 0.55, 0.65, 1.5
"""Width of the volume range over the volume; on 32 tuning scans none was reached (docs/warnings.md). Below the first,
grey values unlike the training data are not worth a warning."""

BESIDE = 0.5
"""Islands that together are a smaller share of the one structure that a model looks for do not speak against it: by the
tuning patients of ``heart-lv-cine`` (docs/heart.md)."""

SAMPLED = 3.0
"""The same share for samples, whose sizes differ more: on LIDC tuning slices one in twenty good ones reaches it, and
three in four poor ones (docs/warnings.md)."""

WHOLE_SHARE = 0.99
"""A structure whose largest piece holds less than this share is in pieces; a few stray voxels are not worth a warning,
the uncertainty map shows them."""


def notices_for(
    labels: Volume,
    metadata: PackageMetadata,
    label_set: Sequence[Label],
    structures: Sequence[StructureRow],
    regions: Sequence[UncertainRegion] = (),
    rois: Sequence[Roi] = (),
    contrast: Contrast | None = None,
    windows: Sequence[Block] = (),
    values: GreyValues | None = None,
    sampled: Mapping[int, InSamples] | None = None,
) -> tuple[Notice, ...]:
    """Every warning that the result deserves, the gravest first; none for an ordinary result.

    Args:
        labels: label map on the input's grid.
        label_set: foreground labels of the result; with regions of interest the package's labels, once a region.
        structures, regions: the tables of the result.
        rois: what was analysed, the whole scan when empty.
        contrast: ``intensity_fingerprint.measure`` of each region's image on the model's grid, by the region's name,
            ``"scan"`` for the whole scan.
        windows: the voxels (k, j, i) that a model saw which outlines one thing in a box, a region; empty for others.
        values: of the scan, None when the file itself says what kind of scan it is.
        sampled: by label value what the samples say, for models that draw some.
    """
    blocks = analysed_parts(labels.grid, label_set, rois, windows)
    widths = _range_widths(metadata, structures)
    if widths and max(widths.values()) <= LESS_SURE:
        contrast = None  # the model is as sure as on scans that it knows: other grey values did it no harm
    return (
        *_about_place(labels, metadata),
        *(say(texts.READING, remark=remark.removesuffix(".")) for remark in labels.remarks),
        *(about_units(metadata, values) if values is not None else ()),
        *about_scan(labels.grid, metadata, blocks, contrast or {}),
        *_about_findings(blocks, metadata, structures, sampled or {}),
        *_about_edges(labels, blocks, metadata),
        *_about_stack(labels, metadata),
        *_about_overlap(labels, () if windows else rois),
        *_about_pieces(labels, structures),
        *_about_ranges(widths),
        *_about_islands(regions, structures, metadata.one_piece),
    )


def notices_without_model(
    labels: Volume, label_set: Sequence[Label], structures: Sequence[StructureRow], regions: Sequence[UncertainRegion]
) -> tuple[Notice, ...]:
    """The warnings that need no training data to compare with; arguments as for ``notices_for``."""
    at_edge = at_image_edge(labels.array)
    cut = [label.name for label in label_set if label.value in at_edge]
    return (
        *((say(texts.PLACE_UNKNOWN),) if not labels.placed else ()),
        *(say(texts.READING, remark=remark.removesuffix(".")) for remark in labels.remarks),
        *((say(texts.CUT_BY_IMAGE, names=listed(cut)),) if cut else ()),
        *_about_pieces(labels, structures),
        *_about_islands(regions, structures),
    )


def _about_place(labels: Volume, metadata: PackageMetadata) -> Iterator[Notice]:
    if not labels.placed:
        yield say(texts.LETTERS_UNKNOWN if metadata.orientation == STACK else texts.PLACE_UNKNOWN)


def _about_findings(
    blocks: list[Analysed],
    metadata: PackageMetadata,
    structures: Sequence[StructureRow],
    sampled: Mapping[int, InSamples],
) -> Iterator[Notice]:
    voxels = {row.value: row.voxels for row in structures}
    missing: list[Label] = []
    for block in blocks:
        empty = [label for label in block.label_set if not voxels.get(label.value)]
        if len(empty) < len(block.label_set):
            missing += empty
        elif seen := in_some_samples(empty, structures, sampled):
            yield say(texts.IN_SOME_SAMPLES, where=block.where, names=listed(seen), model=metadata.name)
        else:
            yield say(texts.NOTHING_FOUND, where=block.where, model=metadata.name)
    if seen := in_some_samples(missing, structures, sampled):
        yield say(texts.PART_IN_SOME_SAMPLES, names=listed(seen))
    if unseen := [label.name for label in missing if label.value not in sampled or not sampled[label.value].holding]:
        yield say(texts.STRUCTURE_MISSING, names=listed(unseen))
    far = [text for block in blocks for text in _unlike_sizes(block, metadata, structures, FAR)]
    unlike = [text for block in blocks for text in _unlike_sizes(block, metadata, structures)]
    if far:
        yield say(texts.VOLUME_FAR, names=listed(far))
    elif unlike:
        yield say(texts.VOLUME, names=listed(unlike))


def _unlike_sizes(
    block: Analysed, metadata: PackageMetadata, structures: Sequence[StructureRow], factor: float = 1.0
) -> Iterator[str]:
    """Structures that were found, with a volume outside the range of the training data by more than a factor."""
    volumes = {row.value: row.volume_ml for row in structures if row.voxels}
    for label, own in zip(block.label_set, metadata.foreground, strict=False):
        expected = metadata.expected.volume_ml.get(own.name)
        volume = volumes.get(label.value)
        if expected is None or volume is None:
            continue
        if not expected[0] / factor <= volume <= expected[1] * factor:
            yield f"{label.name} ({volume:.2f} ml, expected {span(expected, 2)} ml)"


def _about_edges(labels: Volume, blocks: list[Analysed], metadata: PackageMetadata) -> Iterator[Notice]:
    image = at_image_edge(labels.array) if metadata.cavity is None else _cavity_cut(labels, metadata.cavity.value)
    cut = {texts.CUT_BY_IMAGE: image, texts.CUT_BY_WINDOW: set[int](), texts.CUT_BY_ROI: set[int]()}
    for block in blocks:
        if block.window is not None:
            cut[texts.CUT_BY_WINDOW] |= at_window_edge(labels.array, block.window, len(metadata.patch))
        elif block.roi is not None:
            cut[texts.CUT_BY_ROI] |= at_roi_edge(labels.array, labels.grid, block.roi) - image
    for code, values in cut.items():
        names = [label.name for block in blocks for label in block.label_set if label.value in values]
        if names:
            yield say(code, names=listed(names), model=metadata.name)


def _cavity_cut(labels: Volume, value: int) -> set[int]:
    """As ``at_image_edge`` in the plane of the slices; across them, whether the cavity is cut before its apex."""
    across = 2 - across_stack(labels.grid)
    within = [axis for axis in range(3) if axis != across]
    others = at_image_edge(labels.array, (across,)) - {value}
    lacking = {value} if lacks_apex(cavity_slices(labels.array, value, across)) else set[int]()
    return at_image_edge(labels.array, within) | others | lacking


def _about_stack(labels: Volume, metadata: PackageMetadata) -> Iterator[Notice]:
    """What nobody can see in a stack that ends while it shows the cavity."""
    if metadata.cavity is None:
        return
    value = metadata.cavity.value
    if ends_in_cavity(cavity_slices(labels.array, value, 2 - across_stack(labels.grid))):
        names = [label.name for label in metadata.foreground if label.value == value]
        yield say(texts.STACK_ENDS, names=listed(names))


def _about_overlap(labels: Volume, rois: Sequence[Roi]) -> Iterator[Notice]:
    pairs = [
        f"'{one.name}' and '{other.name}'"
        for one, other in combinations(rois, 2)
        if share_structure(labels.array, labels.grid, one, other)
    ]
    if pairs:
        yield say(texts.REGIONS_OVERLAP, pairs="; ".join(pairs))


def _about_pieces(labels: Volume, structures: Sequence[StructureRow]) -> Iterator[Notice]:
    pieces = pieces_of(labels.array, [row.value for row in structures])
    names = [
        f"{row.name} ({len(sizes)} pieces, the largest holds {sizes[0] / sizes.sum():.0%})"
        for row in structures
        if (sizes := pieces.get(row.value)) is not None and sizes[0] < WHOLE_SHARE * sizes.sum()
    ]
    if names:
        yield say(texts.SEVERAL_PIECES, names=listed(names))


def _range_widths(metadata: PackageMetadata, structures: Sequence[StructureRow]) -> dict[str, float]:
    """Width of each volume range over the volume; only of models whose range was fitted, and that know sizes in mm."""
    if metadata.volume_probability is None or not metadata.expected.volume_ml:
        return {}
    return relative_widths(structures)


def relative_widths(structures: Sequence[StructureRow]) -> dict[str, float]:
    """Width of the volume range over the volume, by the name of each structure that was found and has a range."""
    return {
        row.name: (row.volume_high_ml - row.volume_low_ml) / row.volume_ml
        for row in structures
        if row.voxels and isfinite(row.volume_low_ml)
    }


def _about_ranges(width: Mapping[str, float]) -> Iterator[Notice]:
    """Volume ranges that are too wide."""
    untold = [name for name, share in width.items() if share > UNTOLD]
    if untold:
        yield say(texts.VOLUME_UNTOLD, names=listed(untold))
    wide = [f"{name} (a range as wide as {share:.0%} of the volume)" for name, share in width.items() if share > WIDE]
    if wide and not untold:
        yield say(texts.WIDE_RANGE, names=listed(wide))


def about_samples(structures: Sequence[StructureRow]) -> Iterator[Notice]:
    """Samples whose sizes differ much, for models that draw them."""
    widths = relative_widths(structures)
    wide = [
        f"{name} (a range {share:.1f} times as wide as the size)" for name, share in widths.items() if share > SAMPLED
    ]
    if wide:
        yield say(texts.SAMPLES_DIFFER, names=listed(wide))


def _about_islands(
    regions: Sequence[UncertainRegion], structures: Sequence[StructureRow], one_piece: bool = False
) -> Iterator[Notice]:
    islands = [region for region in regions if region.is_island]
    if islands:
        r, a, s = islands[0].centre_ras
        one = len(islands) == 1
        found = MM3_PER_ML * sum(row.volume_ml for row in structures)
        small = one_piece and sum(region.size_mm3 for region in islands) < BESIDE * found
        yield say(
            texts.ISLANDS_BESIDE if small else texts.UNCERTAIN_ISLANDS,
            count=len(islands),
            regions="region touches" if one else "regions touch",
            first="it lies" if one else "the first lies",
            position=f"R {r:.0f}, A {a:.0f}, S {s:.0f}",
        )
