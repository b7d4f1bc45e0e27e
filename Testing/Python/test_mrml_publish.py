"""A result in a real MRML scene: voxels, places, looks, tables, references; twice, edited, and when it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.uncertainty_colours import uncertainty_colours
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.segment_terms import terminology_entry
from SUREUncertaintyLib.mrml import publish as publish_module
from SUREUncertaintyLib.mrml.display import (
    jump_to,
    set_band,
    show_overlay,
    show_uncertainty_volume,
    uncertainty_rendering,
)
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import all_published
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.rollback import node_ids
from SUREUncertaintyLib.mrml.segmentation_nodes import labels_from_segmentation
from SUREUncertaintyLib.mrml.volume_nodes import (
    add_volume,
    grid_from_node,
    image_array,
    volume_from_node,
    vtk_image,
    vtk_matrix,
)
from two_blobs import LABELS, oblique_grid, two_blobs


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def tag(segment: Any, name: str) -> str:
    value = vtk.reference("")
    segment.GetTag(name, value)
    return str(value)


def fingerprint(scene: Any) -> dict[str, tuple[Any, ...]]:
    """What a failed publication must leave as it was."""
    state = {}
    for identifier in node_ids(scene):
        node = scene.GetNodeByID(identifier)
        voxels = node.GetImageData() if node.IsA("vtkMRMLVolumeNode") else None
        content: tuple[Any, ...] = (node.GetName(), image_array(voxels).tobytes() if voxels else b"")
        if node.IsA("vtkMRMLSegmentationNode"):
            content += (
                labels_from_segmentation(node, oblique_grid()).tobytes(),
                node.GetSegmentation().GetSegmentIDs(),
            )
        if node.IsA("vtkMRMLTextNode"):
            content += (node.GetText(),)
        if node.IsA("vtkMRMLTableNode"):
            table = node.GetTable()
            content += (table.GetNumberOfRows(), [str(table.GetValue(0, n)) for n in range(table.GetNumberOfColumns())])
        state[identifier] = content
    return state


def draw_by_hand(node: Any, segment: str, grid: Grid) -> None:
    """What a person does in the Segment Editor: three whole slices."""
    mask = np.zeros(grid.shape, np.uint8)
    mask[:3] = 1
    image = vtk_image(mask, slicer.vtkOrientedImageData())
    image.SetGeometryFromImageToWorldMatrix(vtk_matrix(grid.ijk_to_ras))
    slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(image, node, segment, 0)


@pytest.mark.parametrize("left_handed", [False, True])
def test_voxels_lie_where_the_result_says_on_oblique_grids_of_both_hands(scene: Any, left_handed: bool) -> None:
    result = two_blobs(left_handed)
    nodes = publish(scene, result)
    labels = labels_from_segmentation(nodes.segmentation, result.labels.grid)
    assert np.array_equal(labels, result.labels.array)
    assert sorted(np.unique(labels)) == [0, 5, 12]
    shown = grid_from_node(nodes.uncertainty)
    assert np.linalg.det(shown.ijk_to_ras[:3, :3]) > 0
    for index in ((0, 0, 0), (19, 29, 39), (7, 3, 11)):
        position = result.uncertainty.grid.ijk_to_ras @ (*index[::-1], 1)
        i, j, k, _ = np.linalg.solve(shown.ijk_to_ras, position)
        assert np.allclose((i, j, k), np.rint((i, j, k)), atol=1e-9)
        voxel = image_array(nodes.uncertainty.GetImageData())[round(k), round(j), round(i)]
        assert voxel == result.uncertainty.array[index]


def test_segments_carry_name_colour_value_and_terminology_and_absent_ones_are_empty(scene: Any) -> None:
    nodes = publish(scene, two_blobs())
    segmentation = nodes.segmentation.GetSegmentation()
    assert segmentation.GetSegmentIDs() == ("left_blob_5", "right_blob_12", "absent_20")
    assert segmentation.GetNumberOfLayers() == 1
    for identifier, label in zip(segmentation.GetSegmentIDs(), LABELS, strict=True):
        segment = segmentation.GetSegment(identifier)
        assert (segment.GetName(), segment.GetLabelValue()) == (label.name, label.value)
        assert segment.GetColor() == pytest.approx(label.color)
        assert tag(segment, slicer.vtkSegment.GetTerminologyEntryTagName()) == terminology_entry(label)
    liver = segmentation.GetSegment("left_blob_5")
    assert "SCT^10200004^Liver" in tag(liver, slicer.vtkSegment.GetTerminologyEntryTagName())
    absent = labels_from_segmentation(nodes.segmentation, oblique_grid(), ["absent_20"])
    assert not absent.any()


def test_a_map_of_uncertainty_has_own_colours_window_threshold_and_legend(scene: Any) -> None:
    nodes = publish(scene, two_blobs())
    display = nodes.uncertainty.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((0.3, 0.6))
    assert display.GetApplyThreshold()
    assert display.GetLowerThreshold() == pytest.approx(0.3)
    assert display.GetUpperThreshold() >= 1.0
    colours = display.GetColorNode()
    assert colours.GetNumberOfColors() == 256
    for number in (0, 100, 255):
        rgba = [0.0] * 4
        colours.GetColor(number, rgba)
        drawn = uncertainty_colours()[round((0.5 + 0.5 * number / 255) * 255)]
        assert rgba == pytest.approx([*drawn, 1.0], abs=2 / 255), "the part of the scale above the threshold"
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(nodes.uncertainty)
    assert legend.GetTitleText() == "Uncertainty\n(vacuity)"


def test_lightness_of_the_colours_of_uncertainty_rises_all_the_way() -> None:
    linear = np.where(
        uncertainty_colours() > 0.04045, ((uncertainty_colours() + 0.055) / 1.055) ** 2.4, uncertainty_colours() / 12.92
    )
    luminance = linear @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(luminance) > 0).all()
    assert luminance[-1] > 0.9


def test_tables_hold_rows_with_types_titles_and_nan_for_the_undefined(scene: Any) -> None:
    result = two_blobs()
    placed = replace(result.structures[0], perception_scale=0.25, difficulty="harder than 28 of 30")
    nodes = publish(scene, replace(result, structures=(placed, *result.structures[1:])))
    table = nodes.structures.GetTable()
    assert [table.GetColumnByName("difficulty").GetValue(n) for n in range(2)] == ["harder than 28 of 30", ""]
    assert table.GetColumnByName("perception_scale").GetValue(0) == 0.25
    assert [table.GetColumnByName("name").GetValue(n) for n in range(2)] == ["left blob", "absent"]
    assert table.GetColumnByName("voxels").GetValue(0) == 1180
    assert table.GetColumnByName("volume_low_ml").GetValue(0) == 3.0
    assert np.isnan(table.GetColumnByName("mean_uncertainty").GetValue(1))
    assert nodes.structures.GetColumnTitle("volume_ml") == "Volume (ml)"
    assert nodes.structures.GetColumnUnitLabel("volume_mm3") == "mm3"
    regions = nodes.regions.GetTable()
    position = [regions.GetColumnByName(f"{axis}_mm").GetValue(0) for axis in "ras"]
    assert position == [1.5, 2.5, -3.25]
    manifest = json.loads(nodes.provenance.GetText())
    assert manifest["provenance"]["model"]["name"] == "tiny"
    assert manifest["notices"] == [{"code": "island", "text": "Ein Teil liegt für sich."}]


def test_results_stand_in_a_folder_beside_the_scan_under_its_patient(scene: Any) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    result = two_blobs()
    scan = add_volume(scene, result.image)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Patient")
    study = hierarchy.CreateStudyItem(patient, "Study")
    hierarchy.CreateItem(study, scan)
    nodes = publish(scene, result, scan)
    assert hierarchy.GetItemParent(nodes.folder) == study
    assert hierarchy.GetItemName(nodes.folder) == "scan: tiny"
    assert len(nodes.results) == 6
    assert {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in nodes.results} == {nodes.folder}
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(scan)) == study


def test_a_second_run_updates_the_same_nodes_and_keeps_what_the_user_set(scene: Any) -> None:
    result = two_blobs()
    first = publish(scene, result)
    count = scene.GetNumberOfNodes()
    first.uncertainty.GetDisplayNode().SetThreshold(0.6, 1.0)
    first.segmentation.GetSegmentation().GetSegment("left_blob_5").SetColor(1, 1, 1)
    changed = replace(
        result,
        labels=result.labels.with_array(np.where(result.labels.array == 12, 5, 0).astype(np.uint8)),
        uncertainty=result.uncertainty.with_array(result.uncertainty.array / 2),
        regions=(),
    )
    second = publish(scene, changed)
    assert second == first
    assert scene.GetNumberOfNodes() == count
    assert np.array_equal(labels_from_segmentation(second.segmentation, oblique_grid()), changed.labels.array)
    assert np.array_equal(image_array(second.uncertainty.GetImageData()), changed.uncertainty.array)
    assert second.regions.GetNumberOfRows() == 0
    assert second.uncertainty.GetDisplayNode().GetLowerThreshold() == 0.6
    assert second.segmentation.GetSegmentation().GetSegment("left_blob_5").GetColor() == (1, 1, 1)


def test_two_scans_and_two_models_keep_sets_of_their_own(scene: Any) -> None:
    nodes = [
        publish(scene, two_blobs()),
        publish(scene, two_blobs(left_handed=True, name="other")),
        publish(scene, two_blobs(model="second")),
    ]
    assert [n.segmentation for n in all_published(scene)] == [n.segmentation for n in nodes]
    assert nodes[0].scan is nodes[2].scan
    assert nodes[0].scan is not nodes[1].scan
    assert len({id(node) for published in nodes for node in published.results}) == 18
    assert publish(scene, two_blobs()) == nodes[0]


def test_a_segmentation_that_was_edited_by_hand_is_left_alone(scene: Any) -> None:
    result = two_blobs()
    first = publish(scene, result)
    draw_by_hand(first.segmentation, "left_blob_5", result.labels.grid)
    drawn = labels_from_segmentation(first.segmentation, result.labels.grid).copy()
    second = publish(scene, result)
    assert second.segmentation is not first.segmentation
    assert second.folder != first.folder
    assert np.array_equal(labels_from_segmentation(first.segmentation, result.labels.grid), drawn)
    assert np.array_equal(labels_from_segmentation(second.segmentation, result.labels.grid), result.labels.array)
    assert publish(scene, result) == second


def test_segments_that_the_user_added_survive_a_second_run(scene: Any) -> None:
    result = two_blobs()
    nodes = publish(scene, result)
    nodes.segmentation.GetSegmentation().AddEmptySegment("mine", "my own")
    draw_by_hand(nodes.segmentation, "mine", result.labels.grid)
    assert publish(scene, result) == nodes
    mine = labels_from_segmentation(nodes.segmentation, result.labels.grid, ["mine"]) > 0
    assert mine[:3].all()
    assert not mine[3:].any()
    ours = labels_from_segmentation(nodes.segmentation, result.labels.grid, ["left_blob_5", "right_blob_12"])
    assert np.array_equal(ours, result.labels.array)


def test_softmax_models_publish_the_entropy_once(scene: Any) -> None:
    nodes = publish(scene, replace(two_blobs(), uncertainty_kind="entropy"))
    assert nodes.entropy is None
    assert "entropy" in nodes.uncertainty.GetName()


@pytest.mark.parametrize("again", [False, True], ids=["first run", "second run"])
@pytest.mark.parametrize("step", ["fill_segmentation", "fill_volume", "fill_manifest", "place_in_folder"])
def test_a_failure_midway_leaves_the_scene_as_it_was(
    scene: Any, monkeypatch: pytest.MonkeyPatch, step: str, again: bool
) -> None:
    result = two_blobs()
    if again:
        publish(scene, result)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    before, items = fingerprint(scene), hierarchy.GetNumberOfItems()
    real = getattr(publish_module, step)

    def failing(*arguments: Any) -> None:
        real(*arguments)
        raise MemoryError(step)

    monkeypatch.setattr(publish_module, step, failing)
    changed = replace(
        result,
        labels=result.labels.with_array(np.zeros_like(result.labels.array)),
        uncertainty=result.uncertainty.with_array(np.zeros_like(result.uncertainty.array)),
        structures=(),
        provenance={"model": {"name": "tiny"}, "changed": True},
    )
    with pytest.raises(MemoryError):
        publish(scene, changed)
    assert fingerprint(scene) == before
    assert hierarchy.GetNumberOfItems() == items


def test_the_scan_is_never_changed(scene: Any) -> None:
    result = two_blobs()
    scan = add_volume(scene, result.image)
    before = (scan.GetImageData().GetMTime(), scan.GetMTime(), image_array(scan.GetImageData()).tobytes())
    publish(scene, result, scan)
    assert (scan.GetImageData().GetMTime(), scan.GetMTime(), image_array(scan.GetImageData()).tobytes()) == before


def test_a_volume_under_a_transform_is_refused_with_what_to_do(scene: Any) -> None:
    result = two_blobs()
    scan = add_volume(scene, result.image)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    scan.SetAndObserveTransformNodeID(transform.GetID())
    for act in (lambda: volume_from_node(scan), lambda: publish(scene, result, scan)):
        with pytest.raises(InputError, match=r"under the transform 'registration'.*Harden"):
            act()


def test_a_volume_that_moved_since_the_run_is_refused(scene: Any) -> None:
    result = two_blobs()
    scan = add_volume(scene, result.image)
    scan.SetOrigin(0, 0, 0)
    count = scene.GetNumberOfNodes()
    with pytest.raises(InputError, match="does not lie on it"):
        publish(scene, result, scan)
    assert scene.GetNumberOfNodes() == count


def test_overlay_band_and_jump_reach_every_slice_view_and_the_rendering(scene: Any) -> None:
    nodes = publish(scene, two_blobs())
    show_overlay(scene, nodes, 0.7)
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
    assert len(composites) == 3
    for composite in composites:
        assert composite.GetBackgroundVolumeID() == nodes.scan.GetID()
        assert composite.GetForegroundVolumeID() == nodes.uncertainty.GetID()
        assert composite.GetForegroundOpacity() == 0.7
    rendering = show_uncertainty_volume(scene, nodes, on_cpu=True)
    assert show_uncertainty_volume(scene, nodes, on_cpu=True) is rendering
    set_band(nodes, 0.4, 0.8)
    opacity = uncertainty_rendering(nodes.uncertainty).GetVolumePropertyNode().GetVolumeProperty().GetScalarOpacity()
    assert [opacity.GetValue(x) > 0 for x in (0.0, 0.39, 0.41, 0.79, 0.81, 1.0)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert nodes.uncertainty.GetDisplayNode().GetLowerThreshold() == pytest.approx(0.4)
    jump_to(scene, (3.0, -4.0, 5.0))
    matrix = scene.GetNodeByID("vtkMRMLSliceNodeRed").GetSliceToRAS()
    assert [matrix.GetElement(row, 3) for row in range(3)] == [3.0, -4.0, 5.0]
