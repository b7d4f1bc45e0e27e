"""``sure export``: a result in other formats, whole or not at all."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from phantoms import asymmetric_volume, tilted_grid
from results import LABEL_SET, result_on, write_result_folder
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.export.content import read_content
from SUREUncertaintyLib.export.export_result import ExportJob, export_result
from SUREUncertaintyLib.export.formats import ExportFormat
from SUREUncertaintyLib.files.reading import read_labels, read_volume
from SUREUncertaintyLib.files.segment_reading import read_segmentation, terminology_codes
from SUREUncertaintyLib.files.writing import write_volume

RESULT = result_on(asymmetric_volume(tilted_grid((6, 9, 11))))
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_result_folder(RESULT, tmp_path / "résultat 1")


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_segments_come_back_from_the_file_with_names_colours_and_codes(folder: Path) -> None:
    labels, label_set = read_segmentation(folder / "segmentation.seg.nrrd")
    assert np.array_equal(labels.array, RESULT.labels.array)
    assert [(label.value, label.name) for label in label_set] == [(5, "left blob"), (12, "right blob"), (20, "absent")]
    assert label_set[0] == LABEL_SET[0]
    assert label_set[1].color == pytest.approx(LABEL_SET[1].color)


def test_a_terminology_string_without_codes_has_none() -> None:
    assert terminology_codes("") == (None, None, None)
    category, kind, modifier = terminology_codes("ctx~SCT^1^One~SCT^2^Two~^^~ctx~^^~^^")
    assert (category and category.meaning, kind and kind.value, modifier) == ("One", "2", None)


def test_a_plain_label_map_is_no_segmentation(tmp_path: Path) -> None:
    write_volume(RESULT.labels, tmp_path / "labels.nrrd")
    with pytest.raises(InputError, match="does not say which structures it holds"):
        read_segmentation(tmp_path / "labels.nrrd")


def test_nifti_keeps_voxels_places_and_names(folder: Path, tmp_path: Path) -> None:
    assert run(["export", str(folder), "--output", str(tmp_path / "o"), "--format", "nifti"]) == 0
    labels = read_labels(tmp_path / "o" / "segmentation.nii.gz")
    assert np.array_equal(labels.array, RESULT.labels.array)
    assert labels.grid.matches(RESULT.labels.grid)
    uncertainty = read_volume(tmp_path / "o" / "uncertainty-vacuity.nii.gz")
    assert np.array_equal(uncertainty.array, RESULT.uncertainty.array)
    with (tmp_path / "o" / "segmentation-labels.csv").open(encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [
            ["value", "name"],
            ["5", "left blob"],
            ["12", "right blob"],
            ["20", "absent"],
        ]


def test_several_formats_in_one_folder(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    command = ["export", str(folder), "--output", str(tmp_path / "o"), "--format", "nrrd", "--format", "csv"]
    assert run(command) == 0
    expected = {"segmentation.seg.nrrd", "uncertainty-vacuity.nrrd", "uncertainty-entropy.nrrd"}
    assert names_in(tmp_path / "o") == expected | {"structures.csv", "regions.csv"}
    assert str(tmp_path / "o" / "structures.csv") in capsys.readouterr().out
    assert (tmp_path / "o" / "regions.csv").read_bytes() == (folder / "regions.csv").read_bytes()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--format", "dicom-seg"], "No series was given"),
        (["--format", "html"], "has no report.html"),
        (["--format", "word"], "The format 'word' is not known. Choose one of nrrd, nifti, csv, html"),
        (["--format", "dicom-map", "--source", "nowhere"], "nowhere does not exist"),
    ],
)
def test_what_cannot_be_exported_is_said_and_leaves_nothing(
    folder: Path, tmp_path: Path, capsys: Capture, more: list[str], sentence: str
) -> None:
    assert run(["export", str(folder), "--output", str(tmp_path / "o"), "--format", "csv", *more]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_folder_without_a_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no result.*Choose a folder that 'sure segment' wrote"):
        read_content(tmp_path)
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(InputError, match="damaged"):
        read_content(tmp_path)
    with pytest.raises(InputError, match="No format was chosen"):
        export_result(ExportJob(tmp_path, tmp_path / "o", ()))


def test_a_full_disk_leaves_nothing(folder: Path, small_disk: Path) -> None:
    from SUREUncertaintyLib.core.errors import OutputError

    big = np.random.default_rng(0).random((40, 128, 128), np.float32)
    scan = asymmetric_volume(tilted_grid((40, 128, 128)))
    result = result_on(scan)
    result = result.__class__(**{**vars(result), "uncertainty": scan.with_array(big)})
    source = write_result_folder(result, folder.parent / "big")
    with pytest.raises(OutputError, match="disk is full"):
        export_result(ExportJob(source, small_disk / "o", (ExportFormat.NIFTI,)))
    assert list(small_disk.iterdir()) == []


def test_the_report_names_the_voxels_whatever_type_they_are_read_as(folder: Path) -> None:
    from SUREUncertaintyLib.files.checksum import voxel_fingerprint

    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    array = RESULT.image.array
    assert document["voxel_fingerprint"] == voxel_fingerprint(array.astype(np.float64)) != voxel_fingerprint(array + 1)
