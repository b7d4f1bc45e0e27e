"""What a model was made for, in words, and the size of the box that it wants."""

from __future__ import annotations

from ..core.geometry import parse_orientation, reorient_grid
from ..core.translation import Translate
from ..core.volume import Grid
from ..packages.metadata import PackageMetadata
from ..packages.recognising import cost_in_words
from . import texts

DEFAULT_BOX_MM = (50.0, 50.0, 50.0)


MARGIN_MM = 2.0


THROUGH_SLICES_MM = 20.0
"""Height of a box for a model that works slice by slice: most nodules are smaller, and more slices only mislead it."""


def box_size(metadata: PackageMetadata | None, scan: Grid | None = None) -> tuple[float, float, float]:
    """The size in mm (R, A, S) of the boxes that a model was trained on, with a margin; a usual one where unknown.

    A model that outlines one thing in a box, slice by slice, sees so many voxels of the scan.
    """
    if metadata is None:
        return DEFAULT_BOX_MM
    if metadata.centred and len(metadata.patch) == 2 and scan is not None:
        return _planar_box(metadata, scan)
    if metadata.spacing is None or len(metadata.patch) != 3:
        return DEFAULT_BOX_MM
    k, j, i = metadata.patch
    x, y, z = metadata.spacing
    return (i * x - MARGIN_MM, j * y - MARGIN_MM, k * z - MARGIN_MM)


def _planar_box(metadata: PackageMetadata, scan: Grid) -> tuple[float, float, float]:
    size = [THROUGH_SLICES_MM] * 3
    spacing = metadata.spacing or reorient_grid(scan, metadata.orientation).spacing
    axes, _ = parse_orientation(metadata.orientation)
    for axis, voxels, mm in zip(axes, reversed(metadata.patch), spacing, strict=False):
        size[axis] = (voxels - 1) * mm
    return (size[0], size[1], size[2])


def follows_cavity(metadata: PackageMetadata | None) -> bool:
    """Whether a model is made for a beating cavity, so that every frame of a scan over time counts."""
    return metadata is not None and metadata.cavity is not None


def model_text(metadata: PackageMetadata | None, translate: Translate = str) -> str:
    """What a model was made for, in the words of its package, and what an imported one costs a window."""
    if metadata is None:
        return translate(texts.CHOOSE_MODEL)
    cost = cost_in_words(metadata.pipeline)
    return f"{metadata.task}. {metadata.intended_use or metadata.description}{f' {cost}.' if cost else ''}"
