"""Which of a result's uncertainty maps the views show: its primary kind, the entropy, or that of one latent level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import slicer

from ..core.translation import Translate
from ..core.wording import LEVEL_NAME, MAP_NAMES
from .display import show_uncertainty_volume, uncertainty_rendering
from .nodes import KIND, PublishedNodes
from .uncertainty_nodes import refresh_legend

PRIMARY, ENTROPY, LEVEL = "primary", "entropy", "level"
"""Names of maps; the one of a latent level is ``LEVEL`` and its number."""


def map_names(published: PublishedNodes, translate: Translate = str) -> dict[str, str]:
    """The maps that a result has, with their names for people."""
    kind = published.segmentation.GetAttribute(KIND) or ""
    names = {PRIMARY: translate(MAP_NAMES[kind]) if kind in MAP_NAMES else kind}
    if published.entropy is not None:
        names[ENTROPY] = translate(MAP_NAMES[ENTROPY])
    count, level = len(published.levels), translate(LEVEL_NAME)
    levels = {f"{LEVEL}{n}": level.format(number=n, last=count - 1) for n in range(count)}
    return names | levels


def with_map(published: PublishedNodes, name: str) -> PublishedNodes:
    """The result with the map ``name`` as its uncertainty; its primary one where that map does not exist."""
    nodes = {ENTROPY: published.entropy, **{f"{LEVEL}{n}": node for n, node in enumerate(published.levels)}}
    node = nodes.get(name)
    return published if node is None else replace(published, uncertainty=node)


def show_rendering(scene: Any, published: PublishedNodes, name: str, visible: bool, on_cpu: bool = False) -> Any:
    """Draw the map ``name`` as a cloud in 3D, and no other map of the result; its display node, None if not visible.

    The band is tied anew: call ``set_band`` after it.
    """
    for node in _maps(published):
        display = uncertainty_rendering(node)
        if display is not None:
            display.SetVisibility(False)
    return show_uncertainty_volume(scene, with_map(published, name), on_cpu) if visible else None


def show_legend(published: PublishedNodes, name: str, visible: bool) -> None:
    """Show the colour legend of the map ``name``, and of no other map of the result."""
    chosen = with_map(published, name).uncertainty
    for node in _maps(published):
        legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node)
        if legend is not None:
            legend.SetVisibility(visible and node is chosen)
            refresh_legend(node)


def hide_result(scene: Any, published: PublishedNodes) -> None:
    """Take a result out of all views: its outlines, maps, cloud and legend."""
    maps = _maps(published)
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        if composite.GetForegroundVolumeID() in {node.GetID() for node in maps}:
            composite.SetForegroundVolumeID(None)
    show_rendering(scene, published, PRIMARY, False)
    show_legend(published, PRIMARY, False)
    if published.segmentation.GetDisplayNode() is not None:
        published.segmentation.GetDisplayNode().SetVisibility(False)


def _maps(published: PublishedNodes) -> list[Any]:
    nodes = (published.uncertainty, published.entropy, *published.levels)
    return [node for node in nodes if node is not None]
