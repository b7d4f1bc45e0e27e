"""The order in which a result leaves a scene: what watches the scene never sees half of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import slicer
import vtk
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.removal import remove_result
from two_blobs import two_blobs


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def removed_in_order(scene: Any, see: Any) -> None:
    """Call ``see`` with every node that has just gone, while a result is removed."""
    published = publish(scene, two_blobs())

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def on_removed(caller: Any, event: str, node: Any) -> None:
        see(node)

    tag = scene.AddObserver(scene.NodeRemovedEvent, on_removed)
    remove_result(scene, published, with_scan=True)
    scene.RemoveObserver(tag)


def test_a_legend_goes_before_its_display_and_a_display_before_its_colours(scene: Any) -> None:
    kinds: list[str] = []
    removed_in_order(scene, lambda node: kinds.append(node.GetClassName()))
    colours = [n for n, kind in enumerate(kinds) if "Color" in kind and "Legend" not in kind]
    legends = [n for n, kind in enumerate(kinds) if "Legend" in kind]
    displays = [n for n, kind in enumerate(kinds) if kind.endswith("DisplayNode") and "Legend" not in kind]
    assert colours
    assert legends
    assert displays
    assert max(legends) < min(displays)
    assert min(colours) > displays[0]


def test_the_line_of_a_segmentation_is_there_as_long_as_its_display(scene: Any) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    held: list[bool] = []

    def see(node: Any) -> None:
        if node.IsA("vtkMRMLSegmentationDisplayNode"):
            segmentation = scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
            held.append(bool(hierarchy.GetItemByDataNode(segmentation)))

    removed_in_order(scene, see)
    assert held
    assert all(held)
