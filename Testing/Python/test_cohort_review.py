"""Decisions about the cases of a cohort: kept beside the results, taken back, and never overwritten unseen."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from full_result import full_result
from results import result_on, write_result_folder
from SUREUncertaintyLib.cohort.case_folder import RECORD, SCHEMA
from SUREUncertaintyLib.cohort.case_row import CaseRow
from SUREUncertaintyLib.cohort.review import Worklist
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_labels
from SUREUncertaintyLib.files.segment_reading import read_segmentation
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.report.result_reading import read_result
from SUREUncertaintyLib.training.own_cases import find_pairs

STATUSES = {"a": "usable", "b": "do_not_use", "c": "check"}


def scan_of(name: str) -> Volume:
    rng = np.random.default_rng(sum(map(ord, name)))
    return Volume(rng.normal(100, 20, (12, 14, 16)).astype(np.float32), Grid((12, 14, 16)), name)


def write_cohort(folder: Path) -> dict[str, SegmentationResult]:
    """Three finished cases without a network, as ``sure cohort`` leaves them."""
    (folder / "cases").mkdir(parents=True)
    (folder / "cohort.json").write_text(json.dumps({"schema": SCHEMA, "model": "tiny", "version": "1"}))
    results = {}
    for name, status in STATUSES.items():
        scan = scan_of(name)
        write_volume(scan, folder / f"{name}.nrrd")
        results[name] = result_on(scan)
        write_result_folder(results[name], folder / "cases" / name)
        row = CaseRow(name, name, str(folder / f"{name}.nrrd"), name, status)
        (folder / "cases" / name / RECORD).write_text(json.dumps({"id": name, "key": "", "row": row.to_json()}))
    return results


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    write_cohort(tmp_path / "cohort")
    return tmp_path / "cohort"


def test_what_needs_a_person_comes_first_and_tomorrow_it_goes_on(cohort: Path) -> None:
    listed = Worklist.open(cohort)
    assert [row.id for row in listed.rows] == ["b", "c", "a"]
    assert listed.next_open() == 0
    listed.decide(listed.rows[0], "rejected", "motion")
    assert listed.next_open(0) == 1
    again = Worklist.open(cohort)
    assert (again.next_open(), again.decided) == (1, 1)
    last = again.review(again.rows[0]).last
    assert last is not None
    assert (last.decision, last.note) == ("rejected", "motion")
    for row in again.rows[1:]:
        again.decide(row, "accepted")
    assert again.next_open() is None


def test_an_edited_segmentation_lies_beside_the_original_and_undo_takes_it_back(cohort: Path) -> None:
    listed = Worklist.open(cohort)
    row = listed.rows[1]
    original = (listed.result_folder(row) / "segmentation.seg.nrrd").read_bytes()
    labels, label_set = read_segmentation(listed.result_folder(row) / "segmentation.seg.nrrd")
    changed = labels.with_array(np.where(labels.array == 5, 12, labels.array).astype(np.uint8))
    listed.decide(row, "accepted")
    listed.decide(row, "edited", "", (changed, label_set))
    kept = listed.edited_file(row)
    assert kept is not None
    assert np.array_equal(read_segmentation(kept)[0].array, changed.array)
    assert (listed.result_folder(row) / "segmentation.seg.nrrd").read_bytes() == original
    left = listed.undo(row)
    assert [decision.decision for decision in left.decisions] == ["accepted"]
    assert listed.edited_file(row) is None
    assert not kept.exists()
    assert listed.undo(row).last is None
    assert listed.undo(row).last is None


def test_two_people_in_one_list_are_told_and_nothing_is_overwritten(cohort: Path) -> None:
    one, other = Worklist.open(cohort), Worklist.open(cohort)
    one.decide(one.rows[0], "rejected")
    with pytest.raises(InputError, match="Somebody else called it rejected meanwhile"):
        other.decide(other.rows[0], "accepted")
    assert json.loads((cohort / "reviews" / "b" / "review.json").read_text())["decisions"][0]["decision"] == "rejected"
    other.decide(other.rows[0], "accepted", "looked again")
    with pytest.raises(InputError, match="Somebody else called it accepted meanwhile"):
        one.undo(one.rows[0])


def test_the_table_names_the_segmentation_that_counts(cohort: Path) -> None:
    listed = Worklist.open(cohort)
    labels, label_set = read_segmentation(cohort / "cases" / "b" / "segmentation.seg.nrrd")
    listed.decide(listed.rows[0], "edited", "=1+1", (labels, label_set))
    listed.decide(listed.rows[1], "accepted")
    with listed.write_table().open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["id"], row["decision"]) for row in rows] == [("b", "edited"), ("c", "accepted"), ("a", "")]
    assert rows[0]["segmentation"] == "reviews/b/edited-1.seg.nrrd"
    assert rows[1]["segmentation"] == "cases/c/segmentation.seg.nrrd"
    assert rows[0]["note"] == "'=1+1"


def test_a_folder_that_is_no_cohort_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no cohort"):
        Worklist.open(tmp_path)


def test_a_result_is_read_back_as_it_was_written_and_another_scan_is_refused(tmp_path: Path) -> None:
    results = write_cohort(tmp_path / "cohort")
    found = read_result(tmp_path / "cohort" / "cases" / "a", scan_of("a"))
    assert np.array_equal(found.labels.array, results["a"].labels.array)
    assert np.array_equal(found.uncertainty.array, results["a"].uncertainty.array)
    assert [row.name for row in found.structures] == [row.name for row in results["a"].structures]
    assert found.regions == results["a"].regions
    assert found.threshold == results["a"].threshold
    assert found.provenance["model"]["name"] == "tiny"
    with pytest.raises(InputError, match="its voxels have changed"):
        read_result(tmp_path / "cohort" / "cases" / "a", scan_of("b"))


def test_every_table_of_a_result_is_read_back_also_where_difficulty_cannot_be_compared(tmp_path: Path) -> None:
    written = replace(full_result(), sampling=None, members=None)
    assert [case.outside for case in written.difficulty] == [True, False]
    found = read_result(write_result_folder(written, tmp_path / "result"), written.image)
    assert [case.sentence for case in found.difficulty] == [case.sentence for case in written.difficulty]
    assert found.difficulty[0].measures == written.difficulty[0].measures
    assert [row.name for row in found.wholes] == ["Left blob"]
    assert found.wholes[0].volume_ml == pytest.approx(written.wholes[0].volume_ml)
    assert found.asymmetries[0].name == "blob"
    assert found.quality[0] == written.quality[0]
    assert found.verdict == written.verdict


def test_what_was_accepted_or_edited_is_a_table_that_a_training_takes(cohort: Path) -> None:
    listed = Worklist.open(cohort)
    with pytest.raises(InputError, match="nothing to train on"):
        listed.write_training_table()
    bad, other, good = listed.rows
    listed.decide(bad, "rejected")
    listed.decide(good, "accepted")
    labels, label_set = read_segmentation(listed.result_folder(other) / "segmentation.seg.nrrd")
    listed.decide(other, "edited", "", (labels, label_set))
    pairs = find_pairs(listed.write_training_table().parent)
    assert [(pair.id, pair.image.name) for pair in pairs] == [("c", "c.nrrd"), ("a", "a.nrrd")]
    assert [pair.label.name for pair in pairs] == ["edited-1.seg.nrrd", "segmentation.seg.nrrd"]
    assert np.array_equal(read_labels(pairs[0].label).array, labels.array)
