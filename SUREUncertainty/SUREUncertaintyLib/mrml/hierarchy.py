"""Results in the subject hierarchy: one folder a result, beside the scan it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import slicer

_FOLDER = "SURE.Folder"
_PLUGINS = {
    "vtkMRMLSegmentationNode": "Segmentations",
    "vtkMRMLScalarVolumeNode": "Volumes",
    "vtkMRMLTableNode": "Tables",
    "vtkMRMLTextNode": "Texts",
    "vtkMRMLModelNode": "Models",
}
"""Who draws an item in desktop Slicer; outside of it nobody else says so."""


def place_in_folder(scene: Any, scan: Any, nodes: Sequence[Any], name: str, undo: ExitStack) -> int:
    """Put new nodes into the folder of ``nodes[0]``, made beside the scan's item (so: under the scan's patient and
    study) where there is none yet. Nodes that the user has moved elsewhere stay there.

    Returns:
        the folder's item.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    beside = hierarchy.GetItemParent(_item(hierarchy, scan, undo)) or hierarchy.GetSceneItemID()
    folder = hierarchy.GetItemParent(_item(hierarchy, nodes[0], undo))
    if not hierarchy.HasItemAttribute(folder, _FOLDER):
        folder = hierarchy.CreateFolderItem(beside, name)
        undo.callback(hierarchy.RemoveItem, folder, False, False)
        hierarchy.SetItemAttribute(folder, _FOLDER, "1")
    for node in nodes:
        item = _item(hierarchy, node, undo)
        if hierarchy.GetItemParent(item) in (0, hierarchy.GetSceneItemID()):
            hierarchy.SetItemParent(item, folder)
    return int(folder)


def remove_nodes(scene: Any, nodes: Sequence[Any]) -> None:
    """Remove nodes, their items first: an item whose node went before it stays in the tree, empty."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    for node in nodes:
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)
        scene.RemoveNode(node)


def _item(hierarchy: Any, node: Any, undo: ExitStack) -> int:
    """The node's item; made where no desktop application has made one."""
    item = hierarchy.GetItemByDataNode(node)
    if not item:
        item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
        undo.callback(hierarchy.RemoveItem, item, False, False)
    if not hierarchy.GetItemOwnerPluginName(item):
        hierarchy.SetItemOwnerPluginName(item, _PLUGINS.get(node.GetClassName(), ""))
    return int(item)
