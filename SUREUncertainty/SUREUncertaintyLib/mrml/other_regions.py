"""The structures of a result's other regions, while one region is damaged and segmented anew."""

from __future__ import annotations

from .nodes import PublishedNodes
from .outlines import follow_outlines, show_outlines
from .segmentation_nodes import own_segments

_HIDDEN = "SURE.HiddenForNoise"
"""Attribute of a segmentation: the segments that are hidden while another result shows the same structures."""


def show_other_regions(clean: PublishedNodes, region: str) -> int:
    """Keep a result in the views but for the structures of one region, by their names' first words; how many stay."""
    show_all_regions(clean)
    node, display = clean.segmentation, clean.segmentation.GetDisplayNode()
    names = {i: node.GetSegmentation().GetSegment(i).GetName() for i in own_segments(node)}
    inside = [i for i, name in names.items() if name.startswith(f"{region} ")]
    stay = len(names) - len(inside) if inside else 0
    hidden = [i for i in inside if display.GetSegmentVisibility(i)] if stay else []
    for identifier in hidden:
        display.SetSegmentVisibility(identifier, False)
    node.SetAttribute(_HIDDEN, "\n".join(hidden) or None)
    show_outlines(node, bool(stay))
    return stay


def show_all_regions(clean: PublishedNodes) -> None:
    """Show again what ``show_other_regions`` has hidden, and nothing else."""
    node = clean.segmentation
    for identifier in (node.GetAttribute(_HIDDEN) or "").splitlines():
        node.GetDisplayNode().SetSegmentVisibility(identifier, True)
    node.SetAttribute(_HIDDEN, None)
    follow_outlines(node)
