"""Scenes in a file and back, and a headless scene that says nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from SUREUncertaintyLib.core.errors import InputError, OutputError
from SUREUncertaintyLib.files.segment_terms import terminology_entry
from SUREUncertaintyLib.mrml.archive import read_mrb, write_mrb
from SUREUncertaintyLib.mrml.display import show_result, show_uncertainty_volume, uncertainty_rendering
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import all_published
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.segmentation_nodes import labels_from_segmentation
from SUREUncertaintyLib.mrml.uncertainty_nodes import scale_top, set_threshold
from SUREUncertaintyLib.mrml.volume_nodes import right_handed, volume_from_node
from two_blobs import LABELS, two_blobs


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize("name", ["scene.mrb", "scène de tête ß.mrb"])
def test_a_scene_comes_back_whole(tmp_path: Path, name: str, left_handed: bool) -> None:
    result = two_blobs(left_handed, name="Schädel")
    with HeadlessScene() as headless:
        nodes = publish(headless.scene, result)
        show_result(headless.scene, nodes)
        show_uncertainty_volume(headless.scene, nodes)
        set_threshold(nodes.uncertainty, 0.45)
        write_mrb(headless.scene, tmp_path / name)
    with HeadlessScene() as headless:
        read_mrb(headless.scene, tmp_path / name)
        (back,) = all_published(headless.scene)
        assert len(back.results) == 6
        for node, volume in ((back.scan, result.image), (back.uncertainty, result.uncertainty)):
            expected = right_handed(volume)
            assert np.array_equal(volume_from_node(node).array, expected.array)
            assert volume_from_node(node).array.dtype == expected.array.dtype
            assert volume_from_node(node).grid.matches(expected.grid, 1e-5)
        assert np.array_equal(labels_from_segmentation(back.segmentation, result.labels.grid), result.labels.array)
        check_segments(back.segmentation)
        check_display(headless, back)
        check_tables(back)
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(headless.scene)
        assert hierarchy.GetItemName(back.folder) == "Schädel: tiny"
        assert {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(n)) for n in back.results} == {back.folder}
        count = headless.scene.GetNumberOfNodes()
        assert publish(headless.scene, result) == back
        assert headless.scene.GetNumberOfNodes() == count


def check_segments(node: Any) -> None:
    segmentation = node.GetSegmentation()
    for identifier, label in zip(segmentation.GetSegmentIDs(), LABELS, strict=True):
        segment = segmentation.GetSegment(identifier)
        assert (segment.GetName(), segment.GetLabelValue()) == (label.name, label.value)
        assert segment.GetColor() == pytest.approx(label.color, abs=1e-5)
        text = vtk.reference("")
        segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), text)
        assert str(text) == terminology_entry(label)


def check_display(headless: HeadlessScene, nodes: Any) -> None:
    display = nodes.uncertainty.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((0.45, 0.6))
    assert (display.GetLowerThreshold(), display.GetApplyThreshold()) == (0.45, 1)
    assert scale_top(nodes.uncertainty) == pytest.approx(0.6)
    assert nodes.segmentation.GetNumberOfDisplayNodes() == 2
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(nodes.uncertainty)
    assert (legend.GetTitleText(), legend.GetLabelFormat()) == ("Uncertainty\n(vacuity)", "%.2f")
    assert legend.GetPrimaryDisplayNode() is display
    composite = headless.slice_logics["Red"].GetSliceCompositeNode()
    assert composite.GetForegroundVolumeID() == nodes.uncertainty.GetID()
    assert composite.GetForegroundOpacity() == pytest.approx(0.8)
    rendering = uncertainty_rendering(nodes.uncertainty)
    opacity = rendering.GetVolumePropertyNode().GetVolumeProperty().GetScalarOpacity()
    assert opacity.GetValue(0.2) == 0
    assert opacity.GetValue(0.9) > 0.1


def check_tables(nodes: Any) -> None:
    table = nodes.structures.GetTable()
    assert [table.GetColumnByName("name").GetValue(n) for n in range(2)] == ["left blob", "absent"]
    assert table.GetColumnByName("volume_ml").GetValue(0) == pytest.approx(3.3134)
    assert np.isnan(table.GetColumnByName("mean_uncertainty").GetValue(1))
    assert nodes.structures.GetColumnTitle("volume_ml") == "Volume (ml)"
    assert nodes.regions.GetTable().GetColumnByName("s_mm").GetValue(0) == -3.25
    assert "für sich" in nodes.provenance.GetText()


def test_two_results_come_back_as_two(tmp_path: Path) -> None:
    with HeadlessScene() as headless:
        for name in ("one", "two"):
            publish(headless.scene, two_blobs(name=name))
        write_mrb(headless.scene, tmp_path / "both.mrb")
    with HeadlessScene() as headless:
        publish(headless.scene, two_blobs(name="here before"))
        read_mrb(headless.scene, tmp_path / "both.mrb")
        assert [nodes.scan.GetName() for nodes in all_published(headless.scene)] == ["here before", "one", "two"]
        assert len({id(nodes.uncertainty) for nodes in all_published(headless.scene)}) == 3


def test_relative_paths_are_those_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with HeadlessScene() as headless:
        publish(headless.scene, two_blobs())
        write_mrb(headless.scene, Path("here.mrb"))
        assert [path.name for path in tmp_path.iterdir()] == ["here.mrb"]
        read_mrb(headless.scene, Path("here.mrb"))


def test_writing_leaves_the_scene_and_the_folder_clean(tmp_path: Path) -> None:
    with HeadlessScene() as headless:
        publish(headless.scene, two_blobs())
        url, root = headless.scene.GetURL(), headless.scene.GetRootDirectory()
        with pytest.raises(OutputError, match="cannot be written to"):
            write_mrb(headless.scene, tmp_path / "missing" / "scene.mrb")
        with pytest.raises(InputError, match=r"must end in \.mrb"):
            write_mrb(headless.scene, tmp_path / "scene.zip")
        write_mrb(headless.scene, tmp_path / "scene.mrb")
        assert (headless.scene.GetURL(), headless.scene.GetRootDirectory()) == (url, root)
    assert [path.name for path in tmp_path.iterdir()] == ["scene.mrb"]


def test_a_full_disk_is_named_and_leaves_nothing(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 50_000))
    with HeadlessScene() as headless:
        publish(headless.scene, two_blobs())
        with pytest.raises(OutputError, match=r"The disk is full.*/disk/scene\.mrb"):
            write_mrb(headless.scene, small_disk / "scene.mrb")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_what_is_no_scene_is_refused_in_a_sentence(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mrb", tmp_path / "cut.mrb"
    with HeadlessScene() as headless:
        publish(headless.scene, two_blobs())
        write_mrb(headless.scene, whole)
        cut.write_bytes(whole.read_bytes()[:20000])
        for path in (cut, tmp_path / "none.mrb"):
            with pytest.raises(InputError, match="not a Slicer scene, or it is damaged"):
                read_mrb(headless.scene, path)


def test_a_whole_journey_prints_nothing(tmp_path: Path) -> None:
    journey = f"""
from pathlib import Path
from SUREUncertaintyLib.mrml.archive import read_mrb, write_mrb
from SUREUncertaintyLib.mrml.display import show_uncertainty_volume, show_result
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.publish import publish
from two_blobs import two_blobs
path = Path({str(tmp_path)!r}) / "scene.mrb"
with HeadlessScene() as headless:
    nodes = publish(headless.scene, two_blobs())
    publish(headless.scene, two_blobs())
    show_result(headless.scene, nodes)
    show_uncertainty_volume(headless.scene, nodes)
    write_mrb(headless.scene, path)
with HeadlessScene() as headless:
    read_mrb(headless.scene, path)
"""
    here = Path(__file__).resolve()
    paths = [str(here.parent), str(here.parents[2] / "SUREUncertainty")]
    code = f"import sys; sys.path[:0] = {paths!r}\n{journey}"
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=tmp_path, check=False
    )
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")


def test_a_headless_scene_gives_the_earlier_one_back() -> None:
    with HeadlessScene() as outer:
        with HeadlessScene() as inner:
            assert slicer.mrmlScene is inner.scene
        assert slicer.mrmlScene is outer.scene
        assert publish(outer.scene, two_blobs()).scan.GetScene() is outer.scene
