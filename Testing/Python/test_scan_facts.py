"""Modality and day of a scan: from our own reader, and from the subject hierarchy as Slicer's DICOM reader fills it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

# ruff: noqa: E402
slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from phantoms import asymmetric_volume
from SUREUncertaintyLib.core.dates import day_of_dicom
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.scan_facts import acquired_of, modality_of
from SUREUncertaintyLib.mrml.volume_nodes import add_volume, volume_from_node


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def in_a_study(scene: Any, node: Any, series: dict[str, str], study: dict[str, str]) -> None:
    """What ``DICOMPlugin.addSeriesInSubjectHierarchy`` leaves: patient, study and series, the node's own item."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient")
    visit = hierarchy.CreateStudyItem(patient, "study")
    item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
    hierarchy.SetItemParent(item, visit)
    for where, told in ((item, series), (visit, study)):
        for name, value in told.items():
            hierarchy.SetItemAttribute(where, name, value)


def scan_node(scene: Any, **facts: Any) -> Any:
    plain = asymmetric_volume(Grid((4, 8, 8)))
    return add_volume(scene, Volume(plain.array, plain.grid, plain.name, **facts))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20260103", "2026-01-03"),
        ("20260104120000.00", "2026-01-04"),
        ("2020111", ""),
        ("20261301", ""),
        ("no date", ""),
        ("", ""),
    ],
)
def test_a_dicom_date_is_a_day_or_nothing(text: str, day: str) -> None:
    assert day_of_dicom(text) == day


def test_a_scan_of_slicers_own_reader_has_the_modality_and_the_day_of_its_series(scene: Any) -> None:
    node = scan_node(scene)
    assert (modality_of(node), acquired_of(node)) == ("", "")
    in_a_study(scene, node, {"DICOM.Modality": "PT", "DICOM.SeriesDate": "20260203"}, {"DICOM.StudyDate": "20260201"})
    assert (modality_of(node), acquired_of(node)) == ("PT", "2026-02-03")
    volume = volume_from_node(node)
    assert (volume.modality, volume.acquired) == ("PT", "2026-02-03")


def test_without_a_date_of_its_series_a_scan_has_the_day_of_its_study(scene: Any) -> None:
    node = scan_node(scene)
    in_a_study(scene, node, {"DICOM.Modality": "MR"}, {"DICOM.StudyDate": "20260201"})
    assert acquired_of(node) == "2026-02-01"


def test_what_our_own_reader_found_goes_first(scene: Any) -> None:
    node = scan_node(scene, modality="MR", acquired="2026-01-01")
    in_a_study(scene, node, {"DICOM.Modality": "CT", "DICOM.SeriesDate": "20260203"}, {})
    assert (modality_of(node), acquired_of(node)) == ("MR", "2026-01-01")


def test_a_node_without_a_scene_or_an_item_tells_nothing(scene: Any) -> None:
    loose = slicer.vtkMRMLScalarVolumeNode()
    assert (modality_of(loose), acquired_of(loose)) == ("", "")
    with_nothing = slicer.vtkMRMLScene()
    added = with_nothing.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    assert modality_of(added) == ""
    assert with_nothing.GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode") is None, "asking leaves a scene as it was"


def test_the_module_says_before_a_run_that_a_scan_is_of_another_modality(opened: SimpleNamespace) -> None:
    node = scan_node(opened.scene)
    in_a_study(opened.scene, node, {"DICOM.Modality": "US"}, {})
    opened.widget.panel.context.parameters.inputVolume = node
    opened.widget.panel.input.update()
    assert "is a US scan, but this model was made for MR" in opened.ui.modelInfoLabel.text
