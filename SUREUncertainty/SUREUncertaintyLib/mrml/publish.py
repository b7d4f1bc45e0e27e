"""A result into a scene."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from ..core.errors import InputError
from ..core.volume import Volume
from ..core.wording import in_words
from ..inference.result import SegmentationResult
from .hierarchy import place_in_folder, remove_nodes
from .nodes import (
    ENTROPY,
    KIND,
    MODEL,
    PROVENANCE,
    REGIONS,
    REMEASURED,
    SCAN,
    SOURCE,
    STRUCTURES,
    UNCERTAINTY,
    PublishedNodes,
    published_nodes,
    refer,
    result_node,
    segmentations_of,
)
from .outlines import create_outlines, draw_edge_last
from .rollback import all_or_nothing
from .safe_names import unique_name
from .sample_nodes import publish_levels, publish_maps, publish_samples, stale_nodes
from .scene_manifest import fill_manifest, model_name
from .segmentation_nodes import fill_segmentation, was_edited
from .table_nodes import fill_regions, fill_structures
from .thresholds import threshold_for
from .uncertainty_nodes import add_legend, create_uncertainty_display
from .volume_nodes import add_volume, fill_volume, grid_from_node, require_untransformed, right_handed


def publish(scene: Any, result: SegmentationResult, volume_node: Any = None) -> PublishedNodes:
    """Put a result into a scene: segmentation, uncertainty maps, samples, tables, provenance, in a folder beside the
    scan.

    A second run of the same model on the same scan updates the nodes of the first and keeps their display. If the
    segmentation was edited by hand since, it is left alone with its folder, and a new set is made. The scan and all
    other nodes are never changed; when anything fails, the scene is as before.

    Args:
        volume_node: the scan's node; None adds the scan itself (or takes the node that an earlier call added).

    Raises:
        InputError: the node lies under a transform, or does not lie where the result does.
    """
    with all_or_nothing(scene) as undo:
        segmentation, stale = put_result(scene, result, undo, volume_node)
    remove_nodes(scene, stale)
    return published_nodes(segmentation)


def put_result(
    scene: Any, result: SegmentationResult, undo: ExitStack, volume_node: Any = None, source: Any = None
) -> tuple[Any, list[Any]]:
    """As ``publish``, as a part of a larger change that happens whole or not at all.

    Args:
        source: the volume node of the scan over time that the result's image is a frame of.

    Returns:
        The segmentation, and nodes of an earlier result to remove when all has happened.
    """
    if volume_node is not None:
        _require_same_place(volume_node, result.image)
    scan = add_volume(scene, result.image) if volume_node is None else volume_node
    segmentation = _segmentation_node(scene, scan, result)
    fill_segmentation(segmentation, right_handed(result.labels), result.label_set, scan, undo)
    draw_edge_last(segmentation)
    _publish_uncertainty(scene, segmentation, scan, result, undo)
    _publish_tables(scene, segmentation, scan, result, undo)
    stale = stale_nodes(scene, segmentation, result)
    publish_levels(scene, segmentation, scan, result, undo)
    publish_maps(scene, segmentation, scan, result, undo)
    publish_samples(scene, segmentation, scan, result, undo)
    if source is not None:
        refer(segmentation, SOURCE, source, undo)
    nodes = published_nodes(segmentation)
    place_in_folder(scene, scan, nodes.results, f"{scan.GetName()}: {model_name(result) or 'result'}", undo)
    return segmentation, stale


def publish_frame(scene: Any, result: SegmentationResult, source: Any) -> PublishedNodes:
    """As ``publish``, of one frame of a scan over time, which is added as a scan: ``source`` shows others as well."""
    with all_or_nothing(scene) as undo:
        segmentation, stale = put_result(scene, result, undo, source=source)
    remove_nodes(scene, stale)
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
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", unique_name(scene, f"{scan.GetName()} structures"))
    node.SetAttribute(MODEL, model_name(result))
    node.SetAttribute(KIND, result.uncertainty_kind)
    node.SetNodeReferenceID(SCAN, scan.GetID())
    create_outlines(scene, node)
    return node


def _publish_uncertainty(scene: Any, segmentation: Any, scan: Any, result: SegmentationResult, undo: ExitStack) -> None:
    maps = [(UNCERTAINTY, result.uncertainty_kind, result.uncertainty)]
    if result.uncertainty_kind != "entropy":
        maps.append((ENTROPY, "entropy", result.entropy))
    for role, kind, volume in maps:
        name = f"{scan.GetName()} uncertainty ({kind})"
        node, is_new = result_node(scene, segmentation, role, "vtkMRMLScalarVolumeNode", name)
        fill_volume(node, right_handed(volume), undo)
        if is_new:
            create_uncertainty_display(scene, node, threshold_for(result, kind, volume), result.highest(kind))
            add_legend(node, f"Uncertainty\n({in_words(kind)})")


def _publish_tables(scene: Any, segmentation: Any, scan: Any, result: SegmentationResult, undo: ExitStack) -> None:
    name = scan.GetName()
    table, _ = result_node(scene, segmentation, STRUCTURES, "vtkMRMLTableNode", f"{name} structure table")
    undo.callback(table.SetAttribute, REMEASURED, table.GetAttribute(REMEASURED))
    table.SetAttribute(REMEASURED, None)
    fill_structures(table, result.structures, undo)
    table, _ = result_node(scene, segmentation, REGIONS, "vtkMRMLTableNode", f"{name} uncertain regions")
    fill_regions(table, result.regions, undo)
    text, _ = result_node(scene, segmentation, PROVENANCE, "vtkMRMLTextNode", f"{name} provenance")
    fill_manifest(text, result, undo)
