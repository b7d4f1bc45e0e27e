"""The Worklist panel in the opened module: real MRML, stand-ins for Qt."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from opened_module import parameters
from test_cohort_review import write_cohort

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")
vtk = pytest.importorskip("vtk")

from SUREUncertaintyLib.mrml.nodes import all_published  # noqa: E402
from SUREUncertaintyLib.mrml.segmentation_nodes import labels_from_segmentation  # noqa: E402
from SUREUncertaintyLib.mrml.volume_nodes import grid_from_node, image_array  # noqa: E402


@pytest.fixture
def walked(opened: SimpleNamespace, tmp_path: Path) -> SimpleNamespace:
    """The module with a cohort of three cases open."""
    write_cohort(tmp_path / "cohort")
    opened.desktop.path = opened.folder = tmp_path / "cohort"
    opened.ui.worklistOpenButton.click()
    assert opened.desktop.errors == []
    return opened


def shown(session: SimpleNamespace) -> Any:
    (published,) = all_published(session.scene)
    return published


def labels(session: SimpleNamespace) -> Any:
    published = shown(session)
    return labels_from_segmentation(published.segmentation, grid_from_node(published.uncertainty))


def edit(session: SimpleNamespace) -> None:
    """What a person does in Segment Editor: some voxels of a segment go."""
    segmentation = shown(session).segmentation.GetSegmentation()
    image = segmentation.GetNthSegment(0).GetRepresentation("Binary labelmap")
    voxels = image_array(image)
    voxels[0:1] = 0
    image.GetPointData().GetScalars().Modified()
    image.Modified()


def test_the_case_that_needs_a_person_most_is_shown_with_its_result(walked: SimpleNamespace) -> None:
    assert walked.ui.worklistCaseLabel.text.startswith("b: Do not use.")
    assert walked.ui.worklistProgressLabel.text == "Case 1 of 3, 0 decided."
    assert parameters(walked).segmentation is shown(walked).segmentation
    assert parameters(walked).inputVolume is shown(walked).scan
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", walked.scene):
        place = [node.GetSliceToRAS().GetElement(n, 3) for n in range(3)]
        assert place == pytest.approx((1.5, 2.5, -3.25))  # the first uncertain region


def lines(hierarchy: Any) -> int:
    """Lines of the data tree."""
    found = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), found, True)
    return int(found.GetNumberOfIds())


def test_cases_come_and_go_and_other_nodes_stay(walked: SimpleNamespace) -> None:
    other = walked.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "mine")
    count = walked.scene.GetNumberOfNodes()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(walked.scene)
    items = lines(hierarchy)
    walked.ui.worklistNextButton.click()
    assert walked.ui.worklistCaseLabel.text.startswith("c: Check.")
    walked.ui.worklistNextButton.click()
    walked.ui.worklistNextButton.click()  # the end of the list
    assert walked.ui.worklistCaseLabel.text.startswith("a: Usable.")
    walked.ui.worklistPreviousButton.click()
    assert walked.ui.worklistCaseLabel.text.startswith("c: ")
    assert len(all_published(walked.scene)) == 1
    assert walked.scene.GetNumberOfNodes() == count
    assert lines(hierarchy) == items
    assert other.GetScene() is walked.scene
    assert walked.desktop.errors == []


def test_a_decision_is_written_with_its_note_and_the_next_open_case_comes(walked: SimpleNamespace) -> None:
    walked.ui.worklistNoteEdit.setText("motion")
    walked.ui.worklistRejectButton.click()
    assert walked.ui.worklistCaseLabel.text.startswith("c: ")
    assert walked.ui.worklistNoteEdit.text == ""
    assert walked.ui.worklistProgressLabel.text == "Case 2 of 3, 1 decided."
    walked.ui.worklistPreviousButton.click()
    assert "Rejected on" in walked.ui.worklistCaseLabel.text
    assert "motion" in walked.ui.worklistCaseLabel.text
    assert walked.ui.worklistUndoButton.enabled
    walked.ui.worklistUndoButton.click()
    assert "Rejected" not in walked.ui.worklistCaseLabel.text
    assert not walked.ui.worklistUndoButton.enabled


def test_an_edit_is_kept_beside_the_original_and_comes_back(walked: SimpleNamespace) -> None:
    original = (walked.folder / "cases" / "b" / "segmentation.seg.nrrd").read_bytes()
    before = labels(walked)
    edit(walked)
    changed = labels(walked)
    assert not np.array_equal(changed, before)
    walked.ui.worklistAcceptButton.click()
    assert walked.desktop.errors == []
    walked.ui.worklistPreviousButton.click()
    assert "Edited on" in walked.ui.worklistCaseLabel.text  # what counts is what is seen
    assert np.array_equal(labels(walked), changed)
    assert (walked.folder / "cases" / "b" / "segmentation.seg.nrrd").read_bytes() == original
    walked.ui.worklistUndoButton.click()
    assert np.array_equal(labels(walked), before)


def test_a_change_that_nobody_decided_about_is_not_lost_by_going_on(walked: SimpleNamespace) -> None:
    before = labels(walked)
    edit(walked)
    changed = labels(walked)
    walked.ui.worklistNextButton.click()
    assert "You have changed the outline" in walked.desktop.errors.pop()
    assert np.array_equal(labels(walked), changed)
    walked.ui.worklistResetButton.click()
    assert np.array_equal(labels(walked), before)
    walked.ui.worklistNextButton.click()
    assert walked.ui.worklistCaseLabel.text.startswith("c: ")


def test_a_scan_that_changed_since_is_named_and_the_shown_case_stays(walked: SimpleNamespace) -> None:
    (walked.folder / "c.nrrd").write_bytes((walked.folder / "a.nrrd").read_bytes())
    walked.ui.worklistNextButton.click()
    assert "its voxels have changed" in walked.desktop.errors.pop()
    assert walked.ui.worklistCaseLabel.text.startswith("b: ")
    assert len(all_published(walked.scene)) == 1


def test_the_list_survives_a_closed_scene(walked: SimpleNamespace) -> None:
    walked.scene.Clear(0)
    walked.ui.worklistNextOpenButton.setToolTip("")
    assert walked.ui.worklistCaseLabel.text == ""
    walked.ui.worklistOpenButton.click()
    assert walked.ui.worklistCaseLabel.text.startswith("b: ")
    assert walked.desktop.errors == []


def test_the_table_of_decisions_is_written(walked: SimpleNamespace) -> None:
    walked.ui.worklistAcceptButton.click()
    walked.ui.worklistExportButton.click()
    assert (walked.folder / "reviews.csv").read_text(encoding="utf-8").count("accepted") == 1


def test_accepted_cases_go_out_with_what_could_not_be_written(walked: SimpleNamespace, tmp_path: Path) -> None:
    pytest.importorskip("highdicom", reason="highdicom is not installed: pip install '.[export]'")
    walked.ui.worklistAcceptButton.click()
    (tmp_path / "target").mkdir()
    walked.desktop.path = walked.folder = tmp_path / "target"
    walked.ui.worklistDicomButton.click()
    assert walked.desktop.errors == []
    lines = walked.ui.worklistProgressLabel.text.splitlines()
    assert lines[0] == "Case 2 of 3, 1 decided."
    assert "cohort accepted" in lines[1]
    assert lines[2].startswith("b: ")
    assert (tmp_path / "target" / "cohort accepted" / "accepted.csv").is_file()
