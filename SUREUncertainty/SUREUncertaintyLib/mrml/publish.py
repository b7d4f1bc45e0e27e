"""A result into a scene."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from ..core.errors import InputError
from ..core.texts import in_words
from ..core.volume import Volume
from ..inference.result import SegmentationResult
from .doubt import add_legend
from .doubt import create_doubt_display
from .hierarchy import place_in_folder
from .manifest import fill_manifest
from .manifest import model_name
from .nodes import ENTROPY
from .nodes import KIND
from .nodes import MODEL
from .nodes import PROVENANCE
from .nodes import REGIONS
from .nodes import REMEASURED
from .nodes import SCAN
from .nodes import STRUCTURES
from .nodes import UNCERTAINTY
from .nodes import PublishedNodes
from .nodes import published_nodes
from .nodes import result_node
from .nodes import segmentations_of
from .rollback import all_or_nothing
from .samples import publish_levels
from .samples import publish_samples
from .samples import stale_nodes
from .segmentation import fill_segmentation
from .segmentation import was_edited
from .tables import fill_regions
from .tables import fill_structures
from .volume import add_volume
from .volume import fill_volume
from .volume import grid_from_node
from .volume import require_untransformed
from .volume import right_handed

_OUTLINE, _FILL, _THICKNESS = 1.0, 0.0, 2
"""Structures as contours only, so that the map of doubt shows its own colours; lines two pixels thick."""


def publish(scene: Any, result: SegmentationResult, volume_node: Any = None) -> PublishedNodes:
    """Put a result into a scene: segmentation, maps of doubt, samples, tables, provenance, in a folder beside the scan.

    A second run of the same model on the same scan updates the nodes of the first and keeps their display. If the
    segmentation was edited by hand since, it is left alone with its folder, and a new set is made. The scan and all
    other nodes are never changed; when anything fails, the scene is as before.

    Args:
        volume_node: the scan's node; None adds the scan itself (or takes the node that an earlier call added).

    Raises:
        InputError: the node lies under a transform, or does not lie where the result does.
    """
    if volume_node is not None:
        _require_same_place(volume_node, result.image)
    with all_or_nothing(scene) as undo:
        scan = add_volume(scene, result.image) if volume_node is None else volume_node
        segmentation = _segmentation_node(scene, scan, result)
        fill_segmentation(segmentation, right_handed(result.labels), result.label_set, scan, undo)
        _publish_doubt(scene, segmentation, scan, result, undo)
        _publish_tables(scene, segmentation, scan, result, undo)
        stale = stale_nodes(scene, segmentation, result)
        publish_levels(scene, segmentation, scan, result, undo)
        publish_samples(scene, segmentation, scan, result, undo)
        nodes = published_nodes(segmentation)
        place_in_folder(scene, scan, nodes.results, f"{scan.GetName()}: {model_name(result) or 'result'}", undo)
    for node in stale:
        scene.RemoveNode(node)
    return published_nodes(segmentation)


def _require_same_place(node: Any, image: Volume) -> None:
    require_untransformed(node)
    if node.GetImageData() is None or not grid_from_node(node).matches(image.grid):
        raise InputError(
            f"The volume '{node.GetName()}' was moved or exchanged since the run began, so the result does not lie "
            "on it. Run again, or choose the volume that was segmented."
        )


def _segmentation_node(scene: Any, scan: Any, result: SegmentationResult) -> Any:
    """The segmentation of an earlier run unless a person has edited it since, else a new one."""
    grid = right_handed(result.labels).grid
    for node in segmentations_of(scene, scan, model_name(result), result.uncertainty_kind):
        if not was_edited(node, grid):
            return node
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(f"{scan.GetName()} structures"))
    node.SetAttribute(MODEL, model_name(result))
    node.SetAttribute(KIND, result.uncertainty_kind)
    node.SetNodeReferenceID(SCAN, scan.GetID())
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetOpacity2DFill(_FILL)
    node.GetDisplayNode().SetOpacity2DOutline(_OUTLINE)
    node.GetDisplayNode().SetSliceIntersectionThickness(_THICKNESS)
    return node


def _publish_doubt(scene: Any, segmentation: Any, scan: Any, result: SegmentationResult, undo: ExitStack) -> None:
    maps = [(UNCERTAINTY, result.uncertainty_kind, result.uncertainty)]
    if result.uncertainty_kind != "entropy":
        maps.append((ENTROPY, "entropy", result.entropy))
    for role, kind, volume in maps:
        name = f"{scan.GetName()} uncertainty ({kind})"
        node, is_new = result_node(scene, segmentation, role, "vtkMRMLScalarVolumeNode", name)
        fill_volume(node, right_handed(volume), undo)
        if is_new:
            create_doubt_display(scene, node, result.threshold)
            add_legend(node, f"Uncertainty\n({in_words(kind)})")


def _publish_tables(scene: Any, segmentation: Any, scan: Any, result: SegmentationResult, undo: ExitStack) -> None:
    name = scan.GetName()
    table, _ = result_node(scene, segmentation, STRUCTURES, "vtkMRMLTableNode", f"{name} structure table")
    undo.callback(table.SetAttribute, REMEASURED, table.GetAttribute(REMEASURED))
    table.SetAttribute(REMEASURED, None)
    fill_structures(table, result.structures, undo)
    table, _ = result_node(scene, segmentation, REGIONS, "vtkMRMLTableNode", f"{name} doubtful regions")
    fill_regions(table, result.regions, undo)
    text, _ = result_node(scene, segmentation, PROVENANCE, "vtkMRMLTextNode", f"{name} provenance")
    fill_manifest(text, result, undo)
