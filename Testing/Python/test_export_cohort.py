"""What was accepted of a cohort goes out: the outline that counts, of DICOM scans alone, and a table of all."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from phantoms import asymmetric_volume, write_dicom_series
from results import result_on, write_result_folder
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.cohort.case_folder import RECORD, SCHEMA
from SUREUncertaintyLib.cohort.case_row import CaseRow
from SUREUncertaintyLib.cohort.review import Worklist
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.export.dicom_reading import read_dicom_segments
from SUREUncertaintyLib.export.reviewed_cohort import export_reviewed
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.segment_reading import read_segmentation
from SUREUncertaintyLib.files.writing import write_volume

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed: pip install '.[export]'")
pytest.importorskip("highdicom", reason="highdicom is not installed: pip install '.[export]'")

GRID = Grid((6, 9, 11), (0.9, 0.8, 2.5), (-10.0, 20.0, -30.0))
NAMES = ["z.dcm", "IM 7", "a.dcm", "m.dcm", "IM2", "0.dcm"]


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Four finished cases: three DICOM series and an NRRD file."""
    folder = tmp_path / "cohort"
    (folder / "cases").mkdir(parents=True)
    (folder / "cohort.json").write_text(json.dumps({"schema": SCHEMA, "model": "tiny", "version": "1"}))
    for name in ("a", "b", "c", "file"):
        image = folder / name
        if name == "file":
            image = folder / "file.nrrd"
            write_volume(asymmetric_volume(GRID), image)
        else:
            write_dicom_series(image, asymmetric_volume(GRID), NAMES)
        write_result_folder(result_on(read_volume(image)), folder / "cases" / name)
        row = CaseRow(name, f"patient {name}", str(image), name, "usable")
        (folder / "cases" / name / RECORD).write_text(json.dumps({"id": name, "key": "", "row": row.to_json()}))
    return folder


def decide(cohort: Path, **decisions: str) -> Worklist:
    listed = Worklist.open(cohort)
    for row in listed.rows:
        if row.id in decisions:
            edited = None
            if decisions[row.id] == "edited":
                labels, label_set = read_segmentation(listed.result_folder(row) / "segmentation.seg.nrrd")
                kept = np.where(labels.array == 5, labels.array, 0).astype(np.uint8)
                edited = (labels.with_array(kept), label_set)
            listed.decide(row, decisions[row.id], edited=edited)
    return listed


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "accepted.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_accepted_and_edited_cases_are_written_and_no_others(cohort: Path, tmp_path: Path) -> None:
    listed = decide(cohort, a="accepted", b="edited", file="accepted")
    listed.decide(next(row for row in listed.rows if row.id == "c"), "rejected")
    notes = export_reviewed(cohort, tmp_path / "out")
    written = sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith("."))
    assert written == ["a.dcm", "accepted.csv", "b.dcm"]
    assert any(note.startswith("file: ") and "DICOM" in note for note in notes)
    whole, cut = (read_dicom_segments(tmp_path / "out" / name) for name in ("a.dcm", "b.dcm"))
    assert sorted(whole.names.values()) == ["left blob", "right blob"]
    assert list(cut.names.values()) == ["left blob"]
    original = read_segmentation(cohort / "cases" / "b" / "segmentation.seg.nrrd")[0].array
    assert (cut.masks[1].array > 0).sum() == (original == 5).sum() > 0
    kinds = [pydicom.dcmread(tmp_path / "out" / f"{name}.dcm").SegmentSequence[0] for name in "ab"]
    assert [kind.SegmentAlgorithmType for kind in kinds] == ["AUTOMATIC", "SEMIAUTOMATIC"]


def test_the_table_has_the_volumes_of_the_outline_that_counts(cohort: Path, tmp_path: Path) -> None:
    decide(cohort, a="accepted", b="edited", file="accepted")
    export_reviewed(cohort, tmp_path / "out")
    rows = {(row["id"], row["structure"]): row for row in table(tmp_path / "out")}
    voxels = int((read_segmentation(cohort / "cases" / "a" / "segmentation.seg.nrrd")[0].array == 12).sum())
    assert voxels > 0
    kept, gone = rows["a", "right blob"], rows["b", "right blob"]
    assert (kept["group"], kept["decision"], kept["dicom"]) == ("patient a", "accepted", "a.dcm")
    assert int(kept["voxels"]) == voxels
    assert float(kept["volume_ml"]) == pytest.approx(voxels * 0.9 * 0.8 * 2.5 / 1000, abs=1e-4)
    assert (gone["voxels"], gone["decision"]) == ("0", "edited")
    assert rows["file", "left blob"]["dicom"] == ""


def test_a_cohort_in_which_nothing_was_accepted_gives_a_sentence_and_no_folder(cohort: Path, tmp_path: Path) -> None:
    decide(cohort, a="rejected")
    with pytest.raises(InputError, match="No case of this cohort was accepted yet"):
        export_reviewed(cohort, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_exports_a_cohort_as_segmentations_alone(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(cohort, a="accepted")
    output = ["--output", str(tmp_path / "out")]
    assert run(["export", str(cohort), *output, "--format", "nifti"]) == 2
    assert "with --format dicom-seg alone" in capsys.readouterr().err
    assert run(["export", str(cohort), *output, "--format", "dicom-seg"]) == 0
    assert (tmp_path / "out" / "a.dcm").is_file()
