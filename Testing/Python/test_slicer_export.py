"""Export from the module: what is in the scene now, edits included."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from opened_module import add_scan, run
from SUREUncertaintyLib.export.formats import CHOICES
from SUREUncertaintyLib.files.segment_reading import read_segmentation
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import all_published
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.reading_back import read_structures, result_from_nodes
from SUREUncertaintyLib.mrml.remeasure import remeasure
from SUREUncertaintyLib.ui.export_panel import free_folder
from two_blobs import two_blobs


def test_a_result_comes_back_from_its_nodes() -> None:
    given = two_blobs()
    with HeadlessScene() as headless:
        found = result_from_nodes(publish(headless.scene, given))
    assert np.array_equal(found.labels.array, given.labels.array)
    assert np.array_equal(found.uncertainty.array, given.uncertainty.array)
    assert np.array_equal(found.entropy.array, given.entropy.array)
    assert np.array_equal(found.image.array, given.image.array)
    assert found.regions == given.regions
    assert repr(found.structures[0]) == repr(given.structures[0])
    assert found.notices == given.notices
    assert [label.name for label in found.label_set] == ["left blob", "right blob", "absent"]
    assert found.label_set[0].type == given.label_set[0].type
    assert (found.threshold, found.uncertainty_kind) == (given.threshold, "vacuity")


def test_edited_structures_come_back_as_they_are_now() -> None:
    with HeadlessScene() as headless:
        published = publish(headless.scene, two_blobs())
        published.segmentation.GetSegmentation().RemoveSegment("left_blob_5")
        remeasure(published)
        found = result_from_nodes(published)
        assert [row.name for row in read_structures(published.structures)] == ["right blob", "absent"]
    assert set(np.unique(found.labels.array)) == {0, 12}


def export(opened: SimpleNamespace, folder: Path, choice: str) -> str:
    opened.desktop.path = folder
    opened.ui.exportSelector.setCurrentIndex(opened.ui.exportSelector.findData(choice))
    opened.ui.exportButton.click()
    return str(opened.ui.exportLabel.text)


def test_every_offer_of_the_panel_is_written(opened: SimpleNamespace, tmp_path: Path) -> None:
    assert not opened.ui.exportButton.enabled
    assert opened.ui.exportButton.toolTip == "There is no result yet. Press Run first."
    run(opened, add_scan(opened, "scan/é"))
    target = tmp_path / "exports"
    target.mkdir()
    for choice in set(CHOICES) - {"dicom"}:
        assert export(opened, target, choice).startswith("Exported to ")
    assert {path.name for path in target.iterdir()} == {f"scan_é {choice}" for choice in set(CHOICES) - {"dicom"}}
    assert (target / "scan_é html" / "report.html").stat().st_size > 10_000
    labels, label_set = read_segmentation(target / "scan_é nrrd" / "segmentation.seg.nrrd")
    published = all_published(opened.scene)[0]
    assert np.array_equal(labels.array, result_from_nodes(published).labels.array)
    with (target / "scan_é csv" / "structures.csv").open(encoding="utf-8") as stream:
        assert [row["name"] for row in csv.DictReader(stream)] == [label.name for label in label_set]


def test_a_scan_that_is_no_dicom_gets_a_sentence_and_no_folder(opened: SimpleNamespace, tmp_path: Path) -> None:
    run(opened, add_scan(opened))
    target = tmp_path / "exports"
    target.mkdir()
    assert "did not come from DICOM" in export(opened, target, "dicom")
    assert opened.desktop.errors[-1].endswith("without one, export as NRRD or NIfTI.")
    assert list(target.iterdir()) == []


def test_nothing_happens_when_no_folder_is_chosen(opened: SimpleNamespace) -> None:
    run(opened, add_scan(opened))
    opened.desktop.path = None
    opened.ui.exportButton.click()
    assert opened.ui.exportLabel.text == ""


def test_a_used_name_is_not_used_again(tmp_path: Path) -> None:
    (tmp_path / "a_b csv").mkdir()
    assert free_folder(tmp_path, "a/b csv") == tmp_path / "a_b csv 2"
