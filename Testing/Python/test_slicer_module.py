"""The Slicer module opened, run, edited, closed and reloaded on real MRML nodes, with a real worker and no Qt."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import slicer
from opened_module import add_scan, parameters, run, wait
from phantoms import tilted_grid
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.mrml.archive import read_mrb, write_mrb
from SUREUncertaintyLib.mrml.nodes import all_published, published_nodes
from SUREUncertaintyLib.mrml.rollback import node_ids
from SUREUncertaintyLib.mrml.volume_nodes import add_volume, volume_from_node, vtk_matrix
from SUREUncertaintyLib.packages.package import Package

pytestmark = pytest.mark.filterwarnings("error::UserWarning")


def test_without_a_scan_the_run_button_says_why_it_is_disabled(opened: SimpleNamespace) -> None:
    assert not opened.ui.runButton.enabled
    assert opened.ui.runButton.toolTip == "Choose the scan that is to be segmented."
    parameters(opened).inputVolume = add_scan(opened)
    assert opened.ui.runButton.enabled


def test_run_segments_out_of_process_and_shows_the_result_everywhere(opened: SimpleNamespace) -> None:
    scan = add_scan(opened)
    before = volume_from_node(scan).array.copy()
    segmentation = run(opened, scan)
    (published,) = all_published(opened.scene)
    assert published.segmentation is segmentation
    assert np.array_equal(volume_from_node(scan).array, before)
    assert volume_from_node(published.uncertainty).array.max() > 0
    assert opened.ui.statusLabel.text.startswith("Done on openvino (cpu")
    assert opened.ui.runButton.text == "Run"
    assert opened.ui.segmentsTable.segmentationNode is segmentation
    assert opened.ui.show3DButton.segmentationNode is segmentation
    opened.ui.show3DButton.checked = True
    assert len(opened.desktop.framed) == 1
    assert published_nodes(segmentation).painted.GetDisplayNode().GetVisibility(), "painted by uncertainty at first"
    opened.ui.smoothCheckBox.checked = True
    assert "surface" in segmentation.GetDisplayNode().GetPreferredDisplayRepresentationName2D().lower()
    assert opened.ui.numbersTable.values["mRMLTableNode"] is published.structures
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", opened.scene)[0]
    assert composite.GetForegroundVolumeID() == published.uncertainty.GetID()
    assert parameters(opened).bandLow == pytest.approx(0.5)
    assert "ml" in opened.ui.histogramLabel.text


def test_the_worker_is_another_process_and_ends_with_the_widget(opened: SimpleNamespace) -> None:
    run(opened, add_scan(opened))
    pid = opened.widget.panel.bridge._client.pid
    assert pid not in (None, os.getpid())
    opened.widget.cleanup()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_cancel_leaves_the_scene_as_it_was_and_the_next_run_succeeds(opened: SimpleNamespace) -> None:
    scan = add_scan(opened)
    parameters(opened).inputVolume, parameters(opened).model = scan, "tiny"
    before = node_ids(opened.scene)
    opened.ui.runButton.click()
    assert opened.ui.runButton.text == "Cancel"
    opened.widget.panel.input.clicks.clock = lambda: float("inf")
    opened.ui.runButton.click()
    wait(opened)
    assert node_ids(opened.scene) == before
    assert opened.ui.statusLabel.text.startswith("The run was cancelled")
    assert opened.desktop.errors == []
    assert run(opened, scan) is not None


def test_a_scene_that_closes_during_a_run_stays_empty(opened: SimpleNamespace) -> None:
    scan = add_scan(opened)
    parameters(opened).inputVolume, parameters(opened).model = scan, "tiny"
    opened.ui.runButton.click()
    opened.scene.Clear(0)
    wait(opened)
    assert all_published(opened.scene) == []
    assert opened.desktop.errors == []
    assert opened.ui.runButton.text == "Run"


def test_a_killed_worker_is_one_sentence_and_the_next_run_works(opened: SimpleNamespace) -> None:
    scan = add_scan(opened)
    run(opened, scan)
    parameters(opened).inputVolume = scan
    opened.ui.runButton.click()
    os.kill(opened.widget.panel.bridge._client.pid, 9)
    wait(opened)
    assert len(opened.desktop.errors) == 1
    assert "ended the computation" in opened.desktop.errors[0]
    opened.desktop.errors.clear()
    assert run(opened, scan) is not None


def test_a_scan_that_is_deleted_during_its_run_leaves_one_sentence_and_no_nodes(opened: SimpleNamespace) -> None:
    scan = add_scan(opened)
    parameters(opened).inputVolume, parameters(opened).model = scan, "tiny"
    opened.ui.runButton.click()
    opened.scene.RemoveNode(scan)
    before = node_ids(opened.scene)
    wait(opened)
    (said,) = opened.desktop.errors
    assert "The scan was deleted while it was segmented" in said
    assert node_ids(opened.scene) == before
    assert all_published(opened.scene) == []
    assert opened.ui.runButton.text == "Run"
    opened.desktop.errors.clear()
    assert run(opened, add_scan(opened)) is not None


def test_a_volume_under_a_transform_gets_a_sentence_that_says_what_to_do(opened: SimpleNamespace) -> None:
    scan = add_scan(opened, grid=tilted_grid())
    transform = opened.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "tilt")
    transform.SetMatrixTransformToParent(vtk_matrix(np.diag([1.0, 1, 1, 1]) + np.eye(4, k=3) * 5))
    scan.SetAndObserveTransformNodeID(transform.GetID())
    parameters(opened).inputVolume, parameters(opened).model = scan, "tiny"
    opened.ui.runButton.click()
    assert "Harden the transform" in opened.ui.statusLabel.text
    assert len(opened.desktop.errors) == 1


def test_a_scan_with_nan_gets_the_worker_s_sentence(opened: SimpleNamespace) -> None:
    array = np.ones((18, 20, 22), np.float32)
    array[3, 3, 3] = np.nan
    parameters(opened).inputVolume = add_volume(opened.scene, Volume(array, Grid(array.shape), "broken"))
    parameters(opened).model = "tiny"
    opened.ui.runButton.click()
    wait(opened)
    assert "NaN" in opened.ui.statusLabel.text
    assert all_published(opened.scene) == []


def test_two_scans_have_results_side_by_side_and_the_selector_switches(opened: SimpleNamespace) -> None:
    first = run(opened, add_scan(opened, "first"))
    second = run(opened, add_scan(opened, "second"))
    assert first is not second
    assert len(all_published(opened.scene)) == 2
    opened.ui.resultSelector.setCurrentNode(first)
    assert opened.ui.segmentsTable.segmentationNode is first


def test_the_band_follows_the_range_slider_in_slices_and_in_3d(opened: SimpleNamespace) -> None:
    run(opened, add_scan(opened))
    (published,) = all_published(opened.scene)
    opened.ui.threedSelector.setCurrentIndex(1)
    assert parameters(opened).threed == "cloud"
    opened.ui.bandRange.setValues(0.2, 0.7)
    display = published.uncertainty.GetDisplayNode()
    assert display.GetLowerThreshold() == pytest.approx(0.2)
    assert display.GetUpperThreshold() == pytest.approx(0.7, abs=2e-3)
    assert parameters(opened).bandHigh == pytest.approx(0.7)
    opened.ui.opacitySlider.value = 0.3
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", opened.scene)[0]
    assert composite.GetForegroundOpacity() == pytest.approx(0.3)


def test_places_are_visited_in_order_and_a_tick_keeps_one_out(opened: SimpleNamespace) -> None:
    run(opened, add_scan(opened))
    _, rows, ticks = opened.desktop.tables["regionsTable"]
    assert len(rows) > 1
    assert not any(ticks)
    opened.ui.regionsTable.emit("cellClicked", 0, 0)
    opened.ui.nextUncertainButton.click()
    assert opened.ui.regionLabel.text.startswith(f"Region 2 of {len(rows)}")
    opened.widget.panel.uncertainty.refresh_regions()
    assert opened.desktop.tables["regionsTable"][2][0] is True


def test_one_click_marks_a_place_and_goes_on_to_the_next(opened: SimpleNamespace) -> None:
    run(opened, add_scan(opened))
    assert opened.ui.reviewedButton.toolTip == "Jump to an uncertain region first."
    opened.ui.nextUncertainButton.click()
    count = len(opened.desktop.tables["regionsTable"][1])
    for _ in range(count):
        opened.ui.reviewedButton.click()
    assert opened.desktop.tables["regionsTable"][2] == [True] * count
    assert opened.ui.regionLabel.text == f"All {count} uncertain regions are reviewed."


def test_editing_updates_tables_when_the_module_is_entered_again(opened: SimpleNamespace) -> None:
    segmentation = run(opened, add_scan(opened))
    (published,) = all_published(opened.scene)
    before = published.structures.GetTable().GetValueByName(0, "voxels").ToInt()
    assert before > 0
    opened.ui.editButton.click()
    assert opened.desktop.edited == (segmentation, published.scan)
    assert opened.desktop.editor.GetMaskMode() == slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment
    opened.widget.exit()
    identifier = segmentation.GetSegmentation().GetNthSegmentID(0)
    slicer.vtkSlicerSegmentationsModuleLogic.ClearSegment(segmentation, identifier)
    opened.widget.enter()
    assert published.structures.GetTable().GetValueByName(0, "voxels").ToInt() == 0


def test_settings_and_results_come_back_from_a_saved_scene(opened: SimpleNamespace, tmp_path: Path) -> None:
    run(opened, add_scan(opened))
    opened.ui.opacitySlider.value = 0.35
    opened.ui.regionsTable.emit("cellClicked", 0, 0)
    write_mrb(opened.scene, tmp_path / "saved.mrb")
    opened.scene.Clear(0)
    assert opened.ui.segmentsTable.segmentationNode is None
    read_mrb(opened.scene, tmp_path / "saved.mrb")
    opened.widget.enter()
    assert parameters(opened).overlayOpacity == pytest.approx(0.35)
    assert parameters(opened).model == "tiny"
    assert opened.ui.segmentsTable.segmentationNode is parameters(opened).segmentation is not None
    assert opened.desktop.tables["regionsTable"][2][0] is True


def test_the_live_slider_ends_on_the_last_position_and_leaves_scan_and_result_alone(opened: SimpleNamespace) -> None:
    scan = add_scan(opened)
    run(opened, scan)
    (published,) = all_published(opened.scene)
    before = volume_from_node(scan).array.copy(), volume_from_node(published.uncertainty).array.copy()
    opened.ui.liveCheckBox.checked = True
    for strength in (0.1, 0.2, 0.3, 0.4):
        opened.ui.strengthSlider.value = strength
    wait(opened)
    assert "strength 0.40" in opened.ui.noiseLabel.text
    assert len(all_published(opened.scene)) == 2
    assert np.array_equal(volume_from_node(scan).array, before[0])
    assert np.array_equal(volume_from_node(published.uncertainty).array, before[1])
    assert opened.desktop.errors == []


def test_a_series_gives_a_chart_a_table_and_maps_to_scrub_through(opened: SimpleNamespace) -> None:
    scan = add_scan(opened)
    run(opened, scan)
    opened.ui.seriesButton.click()
    wait(opened)
    assert opened.desktop.errors == []
    ((agreement, uncertainty),) = opened.desktop.charts
    assert uncertainty.GetTitle().endswith(": mean uncertainty")
    table = agreement.GetNthPlotSeriesNode(0).GetTableNode().GetTable()
    assert table.GetNumberOfRows() == 7
    assert table.GetValueByName(0, "agreement").ToDouble() == 1.0
    maps, scans = slicer.util.getNodesByClass("vtkMRMLSequenceNode", opened.scene)
    assert maps.GetNumberOfDataNodes() == scans.GetNumberOfDataNodes() == 7
    assert opened.ui.stepSlider.maximum == 6.0
    opened.ui.stepSlider.value = 3.0
    assert opened.ui.stepLabel.text == "Noise of strength 0.3, one of 7 steps."
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", opened.scene)[0]
    shown = opened.scene.GetNodeByID(composite.GetForegroundVolumeID())
    assert np.array_equal(volume_from_node(shown).array, volume_from_node(maps.GetNthDataNode(3)).array)
    assert opened.ui.noiseLabel.text.startswith("The result")


def test_numbers_can_be_copied_and_saved_and_explain_uncertainty_at_edges(
    opened: SimpleNamespace, tmp_path: Path
) -> None:
    run(opened, add_scan(opened))
    opened.ui.copyButton.click()
    assert opened.desktop.copied[0].startswith("Structure\tLabel value")
    opened.desktop.path = tmp_path / "table.csv"
    opened.ui.csvButton.click()
    assert len(opened.desktop.path.read_text(encoding="utf-8").splitlines()) == 3
    opened.ui.trustButton.click()
    assert "(UCC).<br>Of two boundary voxels" in opened.ui.trustLabel.text


def test_the_report_names_versions_and_no_scan(opened: SimpleNamespace) -> None:
    run(opened, add_scan(opened, "Mrs Example"))
    opened.ui.reportButton.click()
    assert "3D Slicer 5.12.3" in opened.desktop.copied[0]
    assert "openvino: 20" in opened.desktop.copied[0]
    assert "Example" not in opened.desktop.copied[0]


def test_set_up_lists_what_is_installed_once_it_is_opened(opened: SimpleNamespace) -> None:
    assert "dependencyTable" not in opened.desktop.tables
    opened.ui.setupCollapsibleButton.emit("contentsCollapsed", False)
    packages = [row[0] for row in opened.desktop.tables["dependencyTable"][1]]
    assert packages == ["openvino", "scikit-image", "torch", "monai", "safetensors", "onnx", "PyYAML"]
    names = [row[0] for row in opened.desktop.tables["modelsTable"][1]]
    assert {"hippocampus-t1", "tiny"} <= set(names)
    assert opened.ui.networkLabel.text.startswith("Downloads go ")
    opened.ui.installButton.click()
    assert opened.ui.setupLabel.text == "Everything that a run needs is installed and works."


def test_a_region_is_placed_around_the_crosshair_in_the_model_s_size(opened: SimpleNamespace) -> None:
    parameters(opened).model = "tiny"
    opened.ui.placeRegionButton.click()
    assert "Hold Shift" in opened.ui.statusLabel.text
    opened.desktop.cross = (1.0, 2.0, 3.0)
    opened.ui.placeRegionButton.click()
    region = parameters(opened).region
    assert tuple(region.GetCenter()) == (1.0, 2.0, 3.0)
    assert tuple(region.GetSize()) == (14.0, 14.0, 14.0)


def test_the_phantom_becomes_the_input(opened: SimpleNamespace) -> None:
    opened.ui.phantomButton.click()
    assert parameters(opened).inputVolume.GetName() == "SURE phantom"
    assert [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")] == ["Left", "Right"]


def test_a_script_can_segment_without_the_panel(opened: SimpleNamespace, tiny_package: Package) -> None:
    published = opened.module.SUREUncertaintyLogic().process(add_scan(opened), str(tiny_package.root))
    assert published.structures.GetNumberOfRows() == 2


def test_without_a_connection_the_sample_says_what_failed_and_offers_what_needs_none(
    opened: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import SampleData

    def fail(self: Any) -> Any:
        return [][0]  # as Slicer's own function where nothing came

    monkeypatch.setattr(SampleData.SampleDataLogic, "downloadMRHead", fail, raising=False)
    assert not opened.ui.averageButton.visible
    opened.ui.sampleButton.click()
    said = opened.ui.statusLabel.text
    assert said.startswith("The sample could not be downloaded: no file came from Slicer's sample server.")
    assert "list index" not in said
    assert (opened.ui.averageButton.visible, opened.ui.phantomButton.visible) == (True, True)
    opened.ui.averageButton.click()
    assert parameters(opened).inputVolume.GetName() == "Average brain (3 mm)"
    assert parameters(opened).region is not None
    assert parameters(opened).model == "hippocampus-t1", "a sample brings the model that was made for it"


def test_the_dark_edge_of_an_outline_follows_what_a_person_hides(opened: SimpleNamespace) -> None:
    node = run(opened, add_scan(opened))
    main, edge = node.GetDisplayNode(), node.GetNthDisplayNode(1)
    name = node.GetSegmentation().GetNthSegmentID(0)
    main.SetSegmentVisibility(name, False)
    assert not edge.GetSegmentVisibility(name)
    main.SetVisibility(False)
    assert not edge.GetVisibility()
    main.SetVisibility(True)
    opened.ui.show3DButton.checked = True
    points = published_nodes(node).painted.GetPolyData().GetNumberOfPoints()
    main.SetSegmentVisibility(name, True)
    assert published_nodes(node).painted.GetPolyData().GetNumberOfPoints() > points > 0, "the painted surface follows"
