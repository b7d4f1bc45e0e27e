"""Takes a result out of a scene, with everything that came with it and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import slicer
from vtkmodules.vtkCommonCore import vtkIdList

from .colour_nodes import is_own_colours
from .nodes import PublishedNodes


def remove_result(scene: Any, published: PublishedNodes, with_scan: bool) -> None:
    """Remove the nodes of a result, how they are shown and stored, and their folder where it holds nothing else."""
    nodes = [*published.results, *((published.scan,) if with_scan else ())]
    present = [node for node in nodes if node is not None and node.GetScene() is scene]
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    is_ours = bool(published.folder) and _holds_only(hierarchy, published.folder, present)
    remove_with_displays(scene, present)
    if is_ours:
        hierarchy.RemoveItem(published.folder, False, False)


def remove_with_displays(scene: Any, nodes: Sequence[Any]) -> None:
    """Remove nodes of the scene, their lines in the subject hierarchy, and how they are shown and stored.

    What is shown goes first: views and the hierarchy's plugins follow every display node, and report one that has lost
    its colours or its line. A legend goes before the display that it explains.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    attached = sorted((part for node in nodes for part in _attached(node)), key=_turn)
    before = {node.GetID() for node in _displays(scene)}
    for node in attached:
        scene.RemoveNode(node)
    for item in [hierarchy.GetItemByDataNode(node) for node in nodes]:
        if item:  # before their nodes: a line whose node went first stays in the tree, empty
            hierarchy.RemoveItem(item, False, False)
    for node in nodes:
        if node.GetScene() is scene:
            scene.RemoveNode(node)
    # a volume that loses its display is given a new one before it goes itself
    for display in [node for node in _displays(scene) if node.GetID() not in before]:
        scene.RemoveNode(display)


def _turn(node: Any) -> int:
    """When an attached node goes: legends, displays, then what displays refer to."""
    if node.IsA("vtkMRMLColorLegendDisplayNode"):
        return 0
    return 1 if node.IsA("vtkMRMLDisplayNode") else 2


def _displays(scene: Any) -> list[Any]:
    found = scene.GetNodesByClass("vtkMRMLDisplayNode")
    found.UnRegister(None)
    return [found.GetItemAsObject(n) for n in range(found.GetNumberOfItems())]


def _holds_only(hierarchy: Any, folder: int, nodes: Sequence[Any]) -> bool:
    """Whether a folder holds nothing that a person put there."""
    items = vtkIdList()
    hierarchy.GetItemChildren(folder, items, True)
    held = [hierarchy.GetItemDataNode(items.GetId(n)) for n in range(items.GetNumberOfIds())]
    return all(any(node is own for own in nodes) for node in held if node is not None)


def _attached(node: Any) -> Iterator[Any]:
    """Display and storage nodes of a node that has such, and how its rendering looks."""
    if node.IsA("vtkMRMLDisplayableNode"):
        for display in (node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())):
            rendered = display.IsA("vtkMRMLVolumeRenderingDisplayNode")
            if rendered and display.GetVolumePropertyNode() is not None:
                yield display.GetVolumePropertyNode()
            if rendered and display.GetMarkupsROINode() is not None:  # the box that ``crop_rendering`` made
                yield from _attached(display.GetMarkupsROINode())
                yield display.GetMarkupsROINode()
            if is_own_colours(display.GetColorNode()):
                yield display.GetColorNode()
            yield display
    if node.IsA("vtkMRMLStorableNode") and node.GetStorageNode() is not None:
        yield node.GetStorageNode()
