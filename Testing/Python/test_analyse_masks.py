"""`sure analyse --masks`: outlines of readers, models or folds as a result, with values worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from member_files import GRID, LIVER, TUMOUR, organ, write_mask, write_scan
from phantoms import Turn
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.export.formats import ExportFormat
from SUREUncertaintyLib.export.fresh_folder import export_directly
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.segment_header import write_segmentation
from SUREUncertaintyLib.files.segment_reading import read_segmentation
from SUREUncertaintyLib.fusion.analyse import FusionInput, analyse_masks
from SUREUncertaintyLib.fusion.class_names import named, read_naming

Capture = pytest.CaptureFixture[str]
LEAN = ("--no-scene", "--no-pictures", "--no-report")
ML = 0.003
"""Of a voxel."""


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    return write_scan(tmp_path)


@pytest.fixture
def readers(tmp_path: Path) -> list[Path]:
    """Three outlines of the liver, one voxel apart along i; the tumour is the same in all."""
    return [write_mask(tmp_path / f"reader {n}.nii.gz", organ(n)) for n in (-1, 0, 1)]


def codes(result: Any) -> list[str]:
    return [notice.code for notice in result.notices]


def test_votes_draw_the_middle_outline_and_its_uncertain_border(scan: Path, readers: list[Path]) -> None:
    result = analyse_masks(FusionInput(scan, readers, read_naming("1=Liver,2=Tumour")))
    assert np.array_equal(result.labels.array, organ(0))
    split = -(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3)) / np.log(3)
    expected = np.where((organ(-1) != organ(0)) | (organ(1) != organ(0)), split, 0.0)
    np.testing.assert_allclose(result.uncertainty.array, expected, atol=1e-6)
    assert result.threshold == pytest.approx(0.5 * np.log(2) / np.log(3))
    assert [row.name for row in result.structures] == ["Liver", "Tumour"]
    assert result.structures[0].voxels == 280
    assert {place.structure for place in result.regions} == {"Liver"}


def test_pairwise_dice_and_volumes(scan: Path, readers: list[Path]) -> None:
    result = analyse_masks(FusionInput(scan, readers))
    assert result.members is not None
    liver, tumour = result.members.structures
    assert result.members.names == ("reader -1.nii.gz", "reader 0.nii.gz", "reader 1.nii.gz")
    by_pair = {(one, other): value for one, other, value in liver.dice}
    assert by_pair[(0, 1)] == pytest.approx(2 * (7 * 36 - 8) / (2 * 280))
    assert by_pair[(0, 2)] == pytest.approx(2 * (6 * 36 - 8) / (2 * 280))
    assert liver.lowest_pair == (0, 2, by_pair[(0, 2)])
    assert tumour.mean_dice == 1.0
    assert tumour.volumes_ml == pytest.approx((8 * ML,) * 3)


def test_the_range_is_that_of_the_masks_and_says_so(scan: Path, tmp_path: Path) -> None:
    small, large = organ(0), organ(0)
    small[LIVER[0].start] = 0
    large[LIVER[0].stop] = small[LIVER[0].start + 1]
    files = [write_mask(tmp_path / f"{n}.nrrd", labels) for n, labels in enumerate((small, organ(0), large))]
    result = analyse_masks(FusionInput(scan, files))
    row = result.structures[0]
    ends = [np.count_nonzero(labels == 1) * ML for labels in (small, large)]
    assert (row.volume_low_ml, row.volume_high_ml) == pytest.approx(tuple(ends))
    assert result.provenance["made_from"]["volume_range"] == "range of the 3 masks"


def test_two_masks_that_differ_leave_the_voxel_to_the_background_and_say_so(scan: Path, readers: list[Path]) -> None:
    result = analyse_masks(FusionInput(scan, readers[:2]))
    assert np.array_equal(result.labels.array == 1, (organ(-1) == 1) & (organ(0) == 1))
    (tied,) = [notice for notice in result.notices if notice.code == "tied-votes"]
    assert tied.text.startswith("In 72 voxels")
    row = result.structures[0]
    assert row.volume_low_ml == pytest.approx(row.volume_ml)
    assert row.volume_high_ml == pytest.approx(280 * ML)


def test_masks_stored_turned_lie_on_the_scan_and_those_elsewhere_are_refused(tmp_path: Path, scan: Path) -> None:
    turned = Turn((2, 0, 1), (-1, 1, -1)).apply(Volume(organ(1), GRID, "turned"))
    files = [write_mask(tmp_path / "a.nrrd", organ(0)), write_mask(tmp_path / "b.nrrd", turned.array, turned.grid)]
    result = analyse_masks(FusionInput(scan, files))
    assert result.members is not None
    assert result.members.structures[0].dice[0][2] == pytest.approx(2 * (7 * 36 - 8) / (2 * 280))
    moved = write_mask(tmp_path / "moved.nrrd", organ(0), replace(GRID, origin=(0.0, 0.0, 0.0)))
    with pytest.raises(InputError, match=r"'moved' does not lie on the scan 'scan'.*16 x 14 x 12 voxels"):
        analyse_masks(FusionInput(scan, [files[0], moved]))
    short = write_mask(tmp_path / "short.nrrd", organ(0)[:-1], replace(GRID, shape=(11, 14, 16)))
    with pytest.raises(InputError, match=r"16 x 14 x 11 voxels.*16 x 14 x 12 voxels"):
        analyse_masks(FusionInput(scan, [files[0], short]))


def test_names_come_from_segmentations_and_must_agree(tmp_path: Path, scan: Path) -> None:
    labels = Volume(organ(0), GRID, "labels")
    one, other, wrong = (tmp_path / f"{name}.seg.nrrd" for name in ("one", "other", "wrong"))
    write_segmentation(labels, [named(1, "Liver"), named(2, "Tumour")], one)
    write_segmentation(labels.with_array(organ(1)), [named(1, "Liver"), named(2, "Tumour")], other)
    write_segmentation(labels, [named(1, "Tumour"), named(2, "Liver")], wrong)
    assert [label.name for label in analyse_masks(FusionInput(scan, [one, other])).label_set] == ["Liver", "Tumour"]
    with pytest.raises(InputError, match=r"label 1 is 'Liver' in one.seg.nrrd, but 'Tumour' in wrong.seg.nrrd"):
        analyse_masks(FusionInput(scan, [one, wrong]))


def test_what_cannot_be_compared_is_refused_in_words(tmp_path: Path, scan: Path) -> None:
    good, other = write_mask(tmp_path / "a.nrrd", organ(0)), write_mask(tmp_path / "b.nrrd", organ(1))
    empty = [write_mask(tmp_path / f"empty{n}.nrrd", organ(0) * 0) for n in (1, 2)]
    bytes_ = write_mask(tmp_path / "bytes.nrrd", (organ(0) > 0).astype(np.uint8) * 255)
    large = write_mask(tmp_path / "large.nrrd", organ(0).astype(np.uint16) * 300)
    grey = write_mask(tmp_path / "grey.nrrd", organ(0) * np.float32(0.5))
    cases: list[tuple[list[Path], str, str]] = [
        ([good], "", "One mask has nothing to differ from"),
        ([good, good], "", "given twice"),
        ([good, tmp_path / "none.nrrd"], "", "does not exist"),
        (empty, "", "None of the masks marks anything"),
        ([good, bytes_], "", "no label in common"),
        ([good, other], "1=Liver", "holds the label 2, which --labels does not name"),
        ([good, large], "", "label value 600"),
        ([good, grey], "", "not a label map"),
    ]
    for files, names, words in cases:
        with pytest.raises(InputError, match=words):
            analyse_masks(FusionInput(scan, files, read_naming(names) if names else None))


def test_empty_doubled_and_partly_labelled_masks_are_told(tmp_path: Path, scan: Path) -> None:
    liver = np.where(organ(0) == 2, 1, organ(0)).astype(np.uint8)
    masks = {"a": organ(0), "copy": organ(0), "liver": liver, "empty": liver * 0}
    result = analyse_masks(
        FusionInput(scan, [write_mask(tmp_path / f"{n}.nrrd", labels) for n, labels in masks.items()])
    )
    texts = {notice.code: notice.text for notice in result.notices}
    assert "empty.nrrd" in texts["empty-mask"]
    assert "a.nrrd and copy.nrrd" in texts["same-content"]
    assert "label 2 (in a.nrrd, copy.nrrd)" in texts["label-in-some"]
    assert result.members is not None
    assert result.members.structures[0].dice[2] == (0, 3, 0.0)


def test_a_structure_that_only_one_reader_sees_is_an_uncertain_region(tmp_path: Path, scan: Path) -> None:
    alone = organ(0)
    alone[9:11, 10:13, 1:3] = 2
    files = [write_mask(tmp_path / f"{n}.nrrd", labels) for n, labels in enumerate((organ(0), organ(0), alone))]
    result = analyse_masks(FusionInput(scan, files))
    assert "members-uncertain" in codes(result)
    assert "uncertain-islands" not in codes(result)
    assert [place.is_island for place in result.regions] == [True]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path, scan: Path) -> None:
    files = [write_mask(tmp_path / folder / "case.nrrd", organ(n)) for n, folder in enumerate(("fold_0", "fold_1"))]
    result = analyse_masks(FusionInput(scan, files))
    assert result.members is not None
    assert result.members.names == ("fold_0/case.nrrd", "fold_1/case.nrrd")


def arguments(scan: Path, output: Path, *more: str) -> list[str]:
    return ["analyse", str(scan), *more, "--output", str(output)]


def test_the_command_writes_an_ordinary_result(
    scan: Path, readers: list[Path], tmp_path: Path, capsys: Capture
) -> None:
    output = tmp_path / "out"
    before = [path.read_bytes() for path in (scan, *readers)]
    more = ("--masks", *map(str, readers), "--labels", "1=Liver,2=Tumour", "--no-scene")
    assert run(arguments(scan, output, *more)) == 0
    printed = capsys.readouterr().out
    assert "Agreement of the 3 masks on Liver: mean Dice 0.83" in printed
    labels, label_set = read_segmentation(output / "segmentation.seg.nrrd")
    assert [(label.value, label.name) for label in label_set] == [(1, "Liver"), (2, "Tumour")]
    assert labels.grid.matches(read_volume(scan).grid)
    document = json.loads((output / "report.json").read_text(encoding="utf-8"))
    assert document["model"]["name"] == "Consensus of 3 masks"
    assert [entry["file"] for entry in document["made_from"]["members"]] == [path.name for path in readers]
    assert all(len(entry["sha256"]) == 64 for entry in document["made_from"]["members"])
    page = (output / "report.html").read_text(encoding="utf-8")
    for words in ("Made from", "Agreement of the members", "range of the 3 masks", "no 90 % interval", "votes"):
        assert words in page
    assert "Engine" not in page
    assert [path.read_bytes() for path in (scan, *readers)] == before


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "either --probabilities or --masks"),
        (("--masks", "A", "B", "--probabilities", "C"), "either --probabilities or --masks"),
        (("--masks", "A", "B", "--regions"), "--regions belongs to --probabilities"),
        (("--masks", "A"), "nothing to differ from"),
        (("--masks", "A", "B", "--labels", "Liver"), "names no label"),
        (("--masks", "A", "B", "--labels", "1=Liver,1=Tumour"), "twice"),
        (("--masks", "A", "B", "--labels", "300=Liver"), "between 1 and 255"),
    ],
)
def test_wrong_options_are_one_sentence_and_exit_code_2(
    scan: Path, tmp_path: Path, capsys: Capture, more: tuple[str, ...], words: str
) -> None:
    assert run(arguments(scan, tmp_path / "out", *more, *LEAN)) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_export_takes_the_result(scan: Path, readers: list[Path], tmp_path: Path, capsys: Capture) -> None:
    output, exported = tmp_path / "out", tmp_path / "exported"
    assert run(arguments(scan, output, "--masks", *map(str, readers), "--no-pictures", "--no-scene")) == 0
    assert run(["export", str(output), "--output", str(exported), "--format", "nifti", "--format", "html"]) == 0
    assert np.array_equal(read_volume(exported / "segmentation.nii.gz").array, organ(0))
    assert (exported / "report.html").is_file()
    capsys.readouterr()


def test_a_scene_holds_the_result_for_slicer_and_the_browser(
    scan: Path, readers: list[Path], tmp_path: Path, reopened: Callable[[Path], tuple[Any, str]]
) -> None:
    output = tmp_path / "out"
    assert run(arguments(scan, output, "--masks", *map(str, readers), "--no-pictures", "--no-report")) == 0
    result, lines = reopened(output)
    assert "Agreement of the 3 masks on Label 1: mean Dice 0.83" in lines
    assert "Volumes: range of the 3 masks" in lines
    assert np.array_equal(np.sort(result.labels.array, axis=None), np.sort(organ(0), axis=None))
    assert [row.name for row in result.structures] == ["Label 1", "Label 2"]
    assert not result.has_model
    assert result.provenance["made_from"]["kind"] == "masks"
    assert result.members is not None
    assert result.members.structures[0].mean_dice == pytest.approx(0.8286, abs=1e-3)
    page = export_page(result, tmp_path / "page")
    assert "Agreement of the members" in page
    assert "Made from" in page
    assert result.uncertainty.array.max() == pytest.approx(0.5794, abs=1e-4)
    assert len(result.regions) > 0


def export_page(result: Any, folder: Path) -> str:
    """The report of a result that is open, without a model, as the module and the browser export it."""
    export_directly(result, None, folder, (ExportFormat.HTML,))
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def reopened() -> Callable[[Path], tuple[Any, str]]:
    """Reads the only result of a results folder, and the lines about it, as the Slicer module and the browser do."""
    pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")
    from SUREUncertaintyLib.mrml.archive import read_mrb
    from SUREUncertaintyLib.mrml.headless import HeadlessScene
    from SUREUncertaintyLib.mrml.nodes import all_published
    from SUREUncertaintyLib.mrml.reading_back import result_from_nodes
    from SUREUncertaintyLib.presenters.result_sentences import reasons_html, verdict_html
    from SUREUncertaintyLib.view.open_input import scene_of

    def read(folder: Path) -> tuple[Any, str]:
        path = scene_of(folder)
        assert path is not None
        with HeadlessScene() as headless:
            read_mrb(headless.scene, path)
            (published,) = all_published(headless.scene)
            return result_from_nodes(published), verdict_html(published) + reasons_html(published)

    return read


def test_the_phantom_is_as_its_docstring_says() -> None:
    assert (organ() == 1).sum() == 288 - 8
    assert (organ()[TUMOUR] == 2).all()
