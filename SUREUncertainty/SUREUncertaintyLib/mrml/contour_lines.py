"""Contours around the voxels that at least 10, 50 and 90 % of the samples mark, as lines in the slices, thin to thick.

They are made of the bands of probability when they are shown for the first time, in three nodes, since a line's width
belongs to a node. While they are shown the answer's own outline is not: it would hide the middle one.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np

from .hierarchy import place_in_folder
from .nodes import CONTOUR_LINES, STRUCTURE, PublishedNodes, numbered_nodes
from .outlines import follow_outlines
from .safe_names import unique_name
from .segmentation_nodes import add_mask, own_segments
from .volume_nodes import volume_from_node

SHARES = {1: "10 %", 2: "50 %", 3: "90 %"}
"""Band from which on a voxel lies inside, and the share of samples that mark it."""

_WITHOUT_STRUCTURE = (1.0, 0.8, 0.2)
"""Colour of the lines of a structure that a person renamed or removed."""


def has_contours(published: PublishedNodes | None) -> bool:
    """Whether the result has bands of probability to draw contours of."""
    return published is not None and bool(published.contours)


def show_contours(scene: Any, published: PublishedNodes, visible: bool) -> None:
    """Draw the contours of a result in place of its outlines, or the outlines again."""
    shown = visible and has_contours(published)
    nodes = numbered_nodes(published.segmentation, CONTOUR_LINES)
    if shown and len(nodes) < len(SHARES):
        nodes = {band: _add_lines(scene, published, band) for band in SHARES}
        place_in_folder(scene, published.scan, (published.segmentation, *nodes.values()), "", ExitStack())
    for node in nodes.values():
        node.GetDisplayNode().SetVisibility(shown)
    display = published.segmentation.GetDisplayNode()
    if display is not None:
        display.SetVisibility2DOutline(not shown)
        follow_outlines(published.segmentation)


def _add_lines(scene: Any, published: PublishedNodes, band: int) -> Any:
    name = f"{published.scan.GetName()} contours {SHARES[band]}"
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", unique_name(scene, name))
    published.segmentation.SetNodeReferenceID(f"{CONTOUR_LINES}{band}", node.GetID())
    colours = _colours(published.segmentation)
    for bands in published.contours.values():
        structure, volume = bands.GetAttribute(STRUCTURE) or "", volume_from_node(bands)
        mask = volume.with_array((volume.array >= band).astype(np.uint8))
        add_mask(node, f"{structure} {SHARES[band]}", colours.get(structure, _WITHOUT_STRUCTURE), mask)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility3D(False)
    display.SetOpacity2DFill(0.0)
    display.SetOpacity2DOutline(1.0)
    display.SetSliceIntersectionThickness(band)
    return node


def _colours(segmentation: Any) -> dict[str, tuple[float, ...]]:
    """Colour of every structure of the result by its name."""
    segments = [segmentation.GetSegmentation().GetSegment(identifier) for identifier in own_segments(segmentation)]
    return {str(segment.GetName()): tuple(segment.GetColor()) for segment in segments}
