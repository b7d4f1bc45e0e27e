"""A scan over time in a real scene: sequence nodes that play, the curve as a chart, and an archive that keeps both."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from beating import RADII_MM, beating_ball, grey_engine, heart_package, inside, true_ml
from SUREUncertaintyLib.cine.cine_result import CineResult
from SUREUncertaintyLib.cine.segment_frames import segment_frames
from SUREUncertaintyLib.mrml.archive import read_mrb, write_mrb
from SUREUncertaintyLib.mrml.cine_frames import publish_cine
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.segmentation_nodes import labels_from_segmentation
from SUREUncertaintyLib.mrml.sequences import shown_nodes
from SUREUncertaintyLib.mrml.steps import FRAMES_KIND, go_to_step, steps_in
from SUREUncertaintyLib.mrml.volume_nodes import volume_from_node


@pytest.fixture(scope="module")
def cine(tmp_path_factory: pytest.TempPathFactory) -> CineResult:
    package = heart_package(tmp_path_factory.mktemp("heart") / "heart")
    return segment_frames(beating_ball(), package, grey_engine())


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def test_frames_are_sequence_nodes_with_one_browser_on_end_diastole(scene: Any, cine: CineResult) -> None:
    nodes = publish_cine(scene, cine)
    assert slicer.util.getNodesByClass("vtkMRMLSequenceNode", scene)
    assert nodes.browser.GetNumberOfItems() == len(RADII_MM)
    assert nodes.browser.GetSelectedItemNumber() == cine.phases[0]
    sequence = nodes.browser.GetMasterSequenceNode()
    assert [sequence.GetNthIndexValue(n) for n in range(6)] == ["1", "2", "3", "4", "5", "6"]


def test_a_step_shows_the_frame_its_map_and_its_outline(scene: Any, cine: CineResult) -> None:
    nodes = publish_cine(scene, cine)
    (steps,) = steps_in(scene)
    assert (steps.kind, steps.count) == (FRAMES_KIND, 6)
    go_to_step(scene, steps, 3, 0.5)
    assert np.array_equal(volume_from_node(nodes.scan).array, cine.sequence.frames[3].array)
    assert np.allclose(volume_from_node(nodes.uncertainty).array, cine.uncertainty[3])
    shown = labels_from_segmentation(nodes.outline, cine.sequence.grid)
    assert np.array_equal(shown, inside(RADII_MM[3]))
    assert nodes.outline.GetDisplayNode().GetVisibility()
    display = nodes.published.segmentation.GetDisplayNode()
    assert not display.GetVisibility2D()
    assert display.GetVisibility2DOutline(), "slice controllers complain of a segmentation with neither"
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)[0]
    assert composite.GetBackgroundVolumeID() == nodes.scan.GetID()


def test_the_curve_is_a_table_and_a_chart_over_time(scene: Any, cine: CineResult) -> None:
    nodes = publish_cine(scene, cine)
    table = nodes.table.GetTable()
    volumes = [table.GetValueByName(n, "volume_ml").ToDouble() for n in range(6)]
    assert volumes == pytest.approx([true_ml(radius) for radius in RADII_MM])
    assert table.GetValueByName(2, "time_ms").ToDouble() == pytest.approx(120.0)
    assert nodes.chart.GetXAxisTitle() == "Time (ms)"
    assert nodes.chart.GetNumberOfPlotSeriesNodes() == 3


def test_an_archive_brings_every_frame_back(scene: Any, cine: CineResult, tmp_path: Path) -> None:
    publish_cine(scene, cine)
    write_mrb(scene, tmp_path / "cine.mrb")
    with HeadlessScene() as again:
        read_mrb(again.scene, tmp_path / "cine.mrb")
        (steps,) = steps_in(again.scene)
        assert (steps.kind, steps.count) == (FRAMES_KIND, 6)
        go_to_step(again.scene, steps, 3, 0.5)
        _, scan, outline = shown_nodes(steps.browser)
        assert np.array_equal(volume_from_node(scan).array, cine.sequence.frames[3].array)
        assert np.array_equal(labels_from_segmentation(outline, cine.sequence.grid), inside(RADII_MM[3]))


def test_what_shows_the_frames_lies_in_the_folder_of_the_result(scene: Any, cine: CineResult) -> None:
    publish_cine(scene, cine)
    nodes = publish_cine(scene, cine)  # a second run takes the place of the first
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(nodes.published.segmentation))
    shown = [nodes.table, nodes.scan, nodes.uncertainty, nodes.outline]
    items = [hierarchy.GetItemByDataNode(node) for node in shown]
    assert [hierarchy.GetItemParent(item) for item in items] == [folder] * 4
    assert [hierarchy.GetItemOwnerPluginName(item) for item in items] == [
        "Tables",
        "Volumes",
        "Volumes",
        "Segmentations",
    ]
    children = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), children, True)
    empty = [n for n in range(children.GetNumberOfIds()) if hierarchy.GetItemName(children.GetId(n)) == ""]
    assert empty == []
