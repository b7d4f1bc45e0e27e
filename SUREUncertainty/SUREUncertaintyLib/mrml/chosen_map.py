"""Which of a result's uncertainty maps the views show: its primary kind, entropy, another one, or that of a level."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from ..core.dataclass_json import from_json
from ..core.latent_levels import LatentLevel, coarse_first, described_levels
from ..core.translation import Translate
from ..core.wording import KIND_NAMES, MAP_MEANINGS, MAP_NAMES, as_title
from .camera_focus import focus_of
from .display import crop_rendering, show_uncertainty_volume, uncertainty_rendering
from .framing import AROUND
from .nodes import KIND, LEVEL_FACTS, PublishedNodes
from .outlines import show_outlines
from .painted_surface import explain, legend_display, painted_model, painted_surface, show_painted
from .segmentation_nodes import surfaces_shown
from .uncertainty_nodes import add_legend, band_of, legend_of, refresh_legend
from .volume_nodes import image_array

PRIMARY, ENTROPY, FURTHER, LEVEL = "primary", "entropy", "map", "level"
"""Names of maps; a number follows ``FURTHER`` and ``LEVEL``."""

PAINTED, CLOUD, PLAIN = "painted", "cloud", "plain"
THREED = (PAINTED, CLOUD, PLAIN)
"""How 3D shows a result: surfaces painted by uncertainty, surfaces in a cloud of uncertain voxels, plain surfaces."""


def map_names(published: PublishedNodes, translate: Translate = str) -> dict[str, str]:
    """The maps that a result has, with their names for people: the kinds first, then its levels, coarse to fine."""
    names = {name: _kind_name(kind, translate) for name, kind in _kinds(published).items()}
    levels = {f"{LEVEL}{level.number}": level.title(translate) for level in coarse_first(_levels(published))}
    return names | levels


def map_meaning(published: PublishedNodes, name: str, translate: Translate = str) -> str:
    """A sentence about a map; empty for a kind that has none."""
    for level in _levels(published):
        if name == f"{LEVEL}{level.number}":
            return level.sentence(translate)
    kind = _kinds(published).get(name, "")
    return translate(MAP_MEANINGS[kind]) if kind in MAP_MEANINGS else ""


def with_map(published: PublishedNodes, name: str) -> PublishedNodes:
    """The result with the map ``name`` as its uncertainty; its primary one where that map does not exist."""
    node = _nodes(published).get(name)
    return published if node is None else replace(published, uncertainty=node)


def _kinds(published: PublishedNodes) -> dict[str, str]:
    """Kind of uncertainty of each map that is not that of a level."""
    kinds = {PRIMARY: published.segmentation.GetAttribute(KIND) or ""}
    if published.entropy is not None:
        kinds[ENTROPY] = ENTROPY
    further = {f"{FURTHER}{n}": node.GetAttribute(KIND) for n, node in published.maps.items()}
    return kinds | {name: kind for name, kind in further.items() if kind}  # scenes of earlier versions do not say it


def _kind_name(kind: str, translate: Translate) -> str:
    if kind in MAP_NAMES:
        return translate(MAP_NAMES[kind])
    return as_title(translate(KIND_NAMES[kind])) if kind in KIND_NAMES else kind


def _levels(published: PublishedNodes) -> list[LatentLevel]:
    """What each level is whose map is in the scene."""
    facts = [node.GetAttribute(LEVEL_FACTS) for node in published.levels.values()]
    known = [from_json(LatentLevel, json.loads(text)) for text in facts if text]
    described = described_levels(max(published.levels, default=-1) + 1, known)
    return [level for level in described if level.number in published.levels]


def _nodes(published: PublishedNodes) -> Mapping[str, Any]:
    """The node of every map by its name."""
    return {
        PRIMARY: published.uncertainty,
        ENTROPY: published.entropy,
        **{f"{FURTHER}{number}": node for number, node in published.maps.items()},
        **{f"{LEVEL}{number}": node for number, node in published.levels.items()},
    }


def show_in_threed(scene: Any, published: PublishedNodes, name: str, how: str, on_cpu: bool = False) -> None:
    """Show the uncertainty of the map ``name`` in 3D, and that of no other map of the result.

    Painted surfaces and the cloud are there while the structures' surfaces are shown in 3D, which is Slicer's switch.

    Args:
        how: ``PAINTED``, ``CLOUD`` or ``PLAIN``.
        on_cpu: of the cloud, as for ``show_uncertainty_volume``.
    """
    shown = surfaces_shown(published.segmentation)
    for node in _maps(published):
        display = uncertainty_rendering(node)
        if display is not None:
            display.SetVisibility(False)
    show_painted(scene, published, with_map(published, name).uncertainty, how == PAINTED and shown)
    if how == CLOUD and shown:
        display, focus = show_uncertainty_volume(scene, with_map(published, name), on_cpu), focus_of(published)
        crop_rendering(scene, display, focus.low - AROUND, focus.high + AROUND)


def seen_points(published: PublishedNodes, how: str) -> NDArray[np.float64]:
    """(N, 3) RAS mm of what 3D shows, for the camera: the structures, and the cloud around them."""
    focus = focus_of(published)
    return np.concatenate([focus.points, focus.uncertain]) if how == CLOUD else focus.points


def show_legend(published: PublishedNodes, name: str, visible: bool) -> None:
    """Show the colour legend of the map ``name``, and of no other map of the result.

    It stands in the 3D views of the layout, since it hides nothing there, else in a corner of the slices; where no
    voxel is in the band there is nothing to explain, and no legend.
    """
    scene, chosen = published.segmentation.GetScene(), with_map(published, name).uncertainty
    wanted, in_threed = visible and _is_anything_drawn(chosen), _is_threed_shown(scene, published)
    own = legend_of(chosen)
    if in_threed and wanted:  # an empty model is made for a legend that is shown, and only then
        title = "" if own is None else own.GetTitleText()
        told = explain(painted_model(scene, published), chosen)
        add_legend(told, title).SetTitleText(title)
        _place_legend(told, "vtkMRMLViewNode", wanted)
    elif painted_surface(published) is not None and legend_of(legend_display(painted_surface(published))) is not None:
        _place_legend(legend_display(painted_surface(published)), "vtkMRMLViewNode", False)
    for node in _maps(published):
        if legend_of(node) is not None:
            _place_legend(node, "vtkMRMLSliceNode", wanted and node is chosen and not in_threed)


def _place_legend(node: Any, views: str, visible: bool) -> None:
    """Show the legend of a map, or of a display, in all views of a class and nowhere else."""
    legend = legend_of(node)
    legend.RemoveAllViewNodeIDs()
    for view in slicer.util.getNodesByClass(views, node.GetScene()):
        legend.AddViewNodeID(view.GetID())
    legend.SetVisibility(visible)
    refresh_legend(node, node if node.IsA("vtkMRMLDisplayNode") else None)


def _is_threed_shown(scene: Any, published: PublishedNodes) -> bool:
    """Whether a 3D view is part of the layout, or shows the result in any case."""
    model, displays = painted_surface(published), [uncertainty_rendering(node) for node in _maps(published)]
    shown = [*displays, None if model is None else model.GetDisplayNode()]
    views = slicer.util.getNodesByClass("vtkMRMLViewNode", scene)
    return any(d is not None and d.GetVisibility() for d in shown) or any(view.IsMappedInLayout() for view in views)


def hide_result(scene: Any, published: PublishedNodes) -> None:
    """Take a result out of all views: its outlines, maps, painted surface, cloud and legend."""
    maps = _maps(published)
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        if composite.GetForegroundVolumeID() in {node.GetID() for node in maps}:
            composite.SetForegroundVolumeID(None)
    hide_in_threed(published)
    show_outlines(published.segmentation, False)


def hide_in_threed(published: PublishedNodes) -> None:
    """Take painted surface, cloud and legend of a result out of the views."""
    model = painted_surface(published)
    shown = [(uncertainty_rendering(node), legend_of(node)) for node in _maps(published)]
    shown += [] if model is None else [(model.GetDisplayNode(), legend_of(legend_display(model)))]
    for display in (display for pair in shown for display in pair if display is not None):
        display.SetVisibility(False)


def _is_anything_drawn(node: Any) -> bool:
    low, high = band_of(node)
    values = image_array(node.GetImageData())
    return bool(((values >= low) & (values <= high)).any())


def _maps(published: PublishedNodes) -> list[Any]:
    return [node for node in _nodes(published).values() if node is not None]
