"""Which of a result's uncertainty maps the views show: its primary kind, the entropy, or that of one latent level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from ..core.translation import Translate
from ..core.wording import LEVEL_NAME, MAP_NAMES
from .camera_focus import focus_of
from .display import crop_rendering, show_uncertainty_volume, uncertainty_rendering
from .framing import AROUND
from .nodes import KIND, PublishedNodes
from .outlines import show_outlines
from .painted_surface import explain, legend_display, painted_model, painted_surface, show_painted
from .segmentation_nodes import surfaces_shown
from .uncertainty_nodes import add_legend, band_of, legend_of, refresh_legend
from .volume_nodes import image_array

PRIMARY, ENTROPY, LEVEL = "primary", "entropy", "level"
"""Names of maps; the one of a latent level is ``LEVEL`` and its number."""

PAINTED, CLOUD, PLAIN = "painted", "cloud", "plain"
THREED = (PAINTED, CLOUD, PLAIN)
"""How 3D shows a result: surfaces painted by uncertainty, surfaces in a cloud of uncertain voxels, plain surfaces."""


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
    nodes = (published.uncertainty, published.entropy, *published.levels)
    return [node for node in nodes if node is not None]
