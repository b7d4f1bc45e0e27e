"""`sure analyse --probabilities`: what networks have saved as a result, with values worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from member_files import GRID, LIVER, organ, soft, write_channels, write_mask, write_npz, write_scan
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.geometry import reorient_grid
from SUREUncertaintyLib.core.resampling import resample
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.fusion.analyse import FusionInput, analyse_probabilities
from SUREUncertaintyLib.fusion.class_names import read_naming

Capture = pytest.CaptureFixture[str]
LEAN = ("--no-scene", "--no-pictures", "--no-report")
NAMES = read_naming("1=Liver,2=Tumour")
ML = 0.003


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    return write_scan(tmp_path)


def entropy(*p: float) -> float:
    return float(-sum(x * np.log(x) for x in p if x > 0) / np.log(len(p)))


def codes(result: Any) -> list[str]:
    return [notice.code for notice in result.notices]


def graded() -> np.ndarray:
    """P of the liver: 0.97 inside, 0.6 in its first slab, 0.2 beside it, 0.01 elsewhere; tumour 0."""
    liver = np.full(GRID.shape, 0.01)
    k, j, i = LIVER
    liver[k.stop, j, i] = 0.2
    liver[LIVER] = 0.97
    liver[k.start, j, i] = 0.6
    return np.stack([1 - liver, liver, np.zeros_like(liver)]).astype(np.float32)


def test_one_map_gives_entropy_and_the_range_of_p(scan: Path, tmp_path: Path) -> None:
    result = analyse_probabilities(FusionInput(scan, [write_npz(tmp_path / "case.npz", graded())], NAMES))
    liver = result.structures[0]
    assert liver.voxels == 288
    assert liver.volume_low_ml == pytest.approx(5 * 48 * ML)
    assert liver.volume_high_ml == pytest.approx(7 * 48 * ML)
    assert result.uncertainty.array[LIVER[0].start, 4, 5] == pytest.approx(entropy(0.6, 0.4, 0.0), abs=1e-5)
    assert result.members is None
    assert result.structures[1].voxels == 0
    assert "nothing-drawn" in codes(result)
    assert "0.95" in result.provenance["made_from"]["volume_range"]


def test_several_maps_give_their_mean_and_what_they_disagree_about(scan: Path, tmp_path: Path) -> None:
    files = [write_npz(tmp_path / f"fold_{n}" / "case.npz", soft(organ(n))) for n in (0, 1)]
    result = analyse_probabilities(FusionInput(scan, files, NAMES))
    assert result.members is not None
    expected, mutual = (result.members.maps[name].array for name in ("expected_entropy", "mutual_information"))
    differs = organ(0) != organ(1)
    own = entropy(0.9, 0.05, 0.05)
    np.testing.assert_allclose(expected, own, atol=1e-5)
    np.testing.assert_allclose(mutual[~differs], 0.0, atol=1e-5)
    between = entropy(0.475, 0.475, 0.05)
    np.testing.assert_allclose(mutual[differs & (organ(0) < 2) & (organ(1) < 2)], between - own, atol=1e-5)
    np.testing.assert_allclose(result.entropy.array, expected + mutual, atol=1e-5)
    assert result.members.names == ("fold_0/case.npz", "fold_1/case.npz")
    assert result.members.structures[0].dice[0][2] == pytest.approx(2 * (7 * 36 - 8) / 560)
    assert result.provenance["made_from"]["volume_range"] == "range of the 2 probability maps"


def test_the_mean_decides_where_the_majority_is_barely_sure(scan: Path, tmp_path: Path) -> None:
    sure = np.stack([np.full(GRID.shape, p, np.float32) for p in (0.02, 0.98)])
    unsure = np.stack([np.full(GRID.shape, p, np.float32) for p in (0.6, 0.4)])
    files = [write_npz(tmp_path / f"{n}.npz", p) for n, p in enumerate((sure, unsure, unsure * 1))]
    result = analyse_probabilities(FusionInput(scan, files))
    assert (result.labels.array == 1).all()
    (same,) = [notice.text for notice in result.notices if notice.code == "same-content"]
    assert "1.npz and 2.npz" in same


def test_nothing_beside_the_npz_is_unpickled(scan: Path, tmp_path: Path) -> None:
    write_npz(tmp_path / "case.npz", soft(organ()), organ())
    analyse_probabilities(FusionInput(scan, [tmp_path / "case.npz"]))
    with pytest.raises(InputError, match="can run programs"):
        analyse_probabilities(FusionInput(scan, [tmp_path / "case.pkl"]))
    assert not (tmp_path / "OPENED").exists()


def test_an_npz_of_objects_is_refused_before_it_is_built(scan: Path, tmp_path: Path) -> None:
    from member_files import Mark

    hostile = np.empty((3, *GRID.shape), object)
    hostile[:] = Mark(tmp_path / "OPENED")
    np.savez(tmp_path / "case.npz", probabilities=hostile)
    with pytest.raises(InputError, match="Python objects"):
        analyse_probabilities(FusionInput(scan, [tmp_path / "case.npz"]))
    assert not (tmp_path / "OPENED").exists()


@pytest.mark.parametrize("vector", [False, True])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_images_with_a_volume_a_class_say_the_same_as_the_npz(
    scan: Path, tmp_path: Path, suffix: str, vector: bool
) -> None:
    npz = analyse_probabilities(FusionInput(scan, [write_npz(tmp_path / "case.npz", graded())], NAMES))
    image = write_channels(tmp_path / f"prob{suffix}", graded(), vector=vector)
    result = analyse_probabilities(FusionInput(scan, [image], NAMES))
    assert np.array_equal(result.labels.array, npz.labels.array)
    np.testing.assert_allclose(result.entropy.array, npz.entropy.array, atol=1e-6)
    assert "not-checked" in codes(npz)
    assert "not-checked" not in codes(result)


def test_an_image_stored_turned_lies_where_it_says(scan: Path, tmp_path: Path) -> None:
    grid = reorient_grid(GRID, "SLP")
    turned = np.stack([resample(Volume(channel, GRID), grid, "nearest").array for channel in graded()])
    result = analyse_probabilities(FusionInput(scan, [write_channels(tmp_path / "p.nrrd", turned, grid)], NAMES))
    assert np.array_equal(result.labels.array, graded().argmax(axis=0))


def test_one_volume_is_the_probability_of_one_structure(scan: Path, tmp_path: Path) -> None:
    image = write_channels(tmp_path / "liver.nii.gz", graded()[1:2])
    result = analyse_probabilities(FusionInput(scan, [image], read_naming("1=Liver")))
    assert [row.name for row in result.structures] == ["Liver"]
    assert result.structures[0].voxels == 288
    assert result.threshold == pytest.approx(0.5)


def test_the_label_map_beside_an_npz_gives_its_place(scan: Path, tmp_path: Path) -> None:
    grid = reorient_grid(GRID, "LPI")
    stored = np.stack([resample(Volume(channel, GRID), grid, "nearest").array for channel in soft(organ())])
    labels = resample(Volume(organ(), GRID), grid, "nearest").array
    write_npz(tmp_path / "case.npz", stored)
    write_mask(tmp_path / "case.nii.gz", labels, grid)
    result = analyse_probabilities(FusionInput(scan, [tmp_path / "case.npz"], NAMES))
    assert np.array_equal(result.labels.array, organ())
    assert "not-checked" not in codes(result)


def test_a_label_map_that_says_something_else_tells_of_turned_axes_and_swapped_classes(
    scan: Path, tmp_path: Path
) -> None:
    for name, stored in (("axes", soft(organ())[:, ::-1]), ("classes", soft(organ())[[1, 0, 2]])):
        write_npz(tmp_path / f"{name}.npz", stored, organ())
        with pytest.raises(InputError, match=r"classes or axes are in another order"):
            analyse_probabilities(FusionInput(scan, [tmp_path / f"{name}.npz"]))


def test_a_label_map_that_was_tidied_up_is_told(scan: Path, tmp_path: Path) -> None:
    tidied = np.where(organ() == 2, 1, organ()).astype(np.uint8)
    tidied[LIVER[0].start] = 0
    write_npz(tmp_path / "case.npz", soft(organ()), tidied)
    assert "differs-from-saved" in codes(analyse_probabilities(FusionInput(scan, [tmp_path / "case.npz"])))


def test_the_scan_of_the_same_name_is_not_taken_for_a_label_map(tmp_path: Path) -> None:
    scan = write_mask(tmp_path / "case.nii.gz", read_volume(write_scan(tmp_path)).array)
    result = analyse_probabilities(FusionInput(scan, [write_npz(tmp_path / "case.npz", soft(organ()))]))
    assert "not-checked" in codes(result)


def regions_map() -> np.ndarray:
    """Whole organ and its core, which overlap; half a bit of uncertainty in the first slab of the core."""
    whole, core = np.full(GRID.shape, 0.01), np.full(GRID.shape, 0.01)
    whole[LIVER] = 0.99
    core[4:6, 4:8, 5:9] = 0.99
    core[4, 4:8, 5:9] = 0.6
    return np.stack([whole, core]).astype(np.float32)


def test_regions_are_drawn_in_their_order_and_measured_whole(scan: Path, tmp_path: Path) -> None:
    document = {"labels": {"background": 0, "whole": [1, 2], "core": [2]}, "regions_class_order": [1, 2]}
    (tmp_path / "dataset.json").write_text(json.dumps(document))
    naming = read_naming(str(tmp_path / "dataset.json"))
    files = [write_npz(tmp_path / f"{n}.npz", regions_map()) for n in (1, 2)]
    result = analyse_probabilities(FusionInput(scan, files, naming))
    assert [(row.name, row.voxels) for row in result.structures] == [("whole", 288), ("core", 32)]
    assert np.count_nonzero(result.labels.array == 1) == 288 - 32
    assert result.uncertainty.array[4, 4, 5] == pytest.approx(entropy(0.6, 0.4), abs=1e-5)
    assert result.threshold == 0.5
    assert "regions-drawn" in codes(result)
    assert result.members is not None
    assert [row.mean_dice for row in result.members.structures] == [1.0, 1.0]
    assert result.members.structures[0].volumes_ml == pytest.approx((288 * ML,) * 2)
    assert [place.voxels for place in result.regions] == [16]


def test_one_map_of_regions_has_the_range_of_each_region(scan: Path, tmp_path: Path) -> None:
    given = FusionInput(scan, [write_npz(tmp_path / "p.npz", regions_map())], regions=True)
    whole, core = analyse_probabilities(given).structures
    assert (whole.name, core.name) == ("Region 1", "Region 2")
    assert (core.volume_low_ml, core.volume_ml, core.volume_high_ml) == pytest.approx((16 * ML, 32 * ML, 32 * ML))


def damaged(change: str) -> np.ndarray:
    good = soft(organ())
    if change == "nan":
        good[0, 1, 1, 1] = np.nan
    changes = {
        "logits": np.log(good) * 3 + 8,
        "logarithms": np.log(good),
        "percent": good * 100,
        "labels": organ()[np.newaxis],
        "missing background": good[1:],
        "sigmoid": np.clip(good * 1.4, 0, 1),
        "fewer slices": good[:, :-1],
        "axes": good.transpose(0, 3, 2, 1),
        "one volume": good[0],
    }
    return changes.get(change, good)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("nan", "1 values of p.npz are no numbers"),
        ("logits", r"raw outputs of a network \(logits\)"),
        ("logarithms", "logarithms"),
        ("percent", "percent or bytes"),
        ("labels", "label maps are given with --masks"),
        ("missing background", "background missing"),
        ("sigmoid", "--regions"),
        ("fewer slices", "3 x 11 x 14 x 16, but the scan has 12 x 14 x 16"),
        ("axes", "axes seem to be in another order"),
        ("one volume", "classes x 12 x 14 x 16 is expected"),
    ],
)
def test_what_are_no_probabilities_is_refused_in_words(scan: Path, tmp_path: Path, change: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        analyse_probabilities(FusionInput(scan, [write_npz(tmp_path / "p.npz", damaged(change))]))


def test_files_that_are_not_one_array_are_refused(scan: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", probabilities=soft(organ()), other=organ())
    np.savez(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no zip file")
    whole = write_npz(tmp_path / "whole.npz", np.random.default_rng(1).random((3, *GRID.shape))).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    np.savez(tmp_path / "letters.npz", probabilities=np.full((3, *GRID.shape), "a"))
    np.savez(tmp_path / "many.npz", probabilities=np.zeros((300, *GRID.shape), np.int8))
    expected = {
        "two": r"2 arrays \(probabilities, other\)",
        "none": "0 arrays",
        "text": "damaged",
        "cut": "damaged",
        "letters": "holds no numbers",
        "many": "300 classes",
        "gone": "does not exist",
    }
    for name, words in expected.items():
        with pytest.raises(InputError, match=words):
            analyse_probabilities(FusionInput(scan, [tmp_path / f"{name}.npz"]))


def test_names_and_maps_must_have_the_same_classes(scan: Path, tmp_path: Path) -> None:
    three = write_npz(tmp_path / "three.npz", soft(organ()))
    four = write_npz(tmp_path / "four.npz", soft(organ(), classes=4))
    with pytest.raises(InputError, match=r"three\.npz holds 3 classes, but four\.npz holds 4"):
        analyse_probabilities(FusionInput(scan, [three, four]))
    for names in ("1=Liver", "1=Liver,5=Tumour", "1=Liver,2=Tumour,3=Vein"):
        with pytest.raises(InputError, match="labels 1 to 2 are expected"):
            analyse_probabilities(FusionInput(scan, [three], read_naming(names)))


def test_an_outline_is_no_probability_map(scan: Path, tmp_path: Path) -> None:
    outline = write_mask(tmp_path / "outline.nrrd", (organ() > 0).astype(np.uint8))
    with pytest.raises(InputError, match="nothing but 0 and 1"):
        analyse_probabilities(FusionInput(scan, [outline]))


def test_dataset_json_of_nnunet_and_of_the_decathlon(tmp_path: Path) -> None:
    def read(**document: Any) -> dict[int, str]:
        path = tmp_path / "dataset.json"
        path.write_text(json.dumps(document))
        return dict(read_naming(str(path)).names)

    assert read(labels={"background": 0, "Tumour": 2, "Liver": 1, "ignore": 3}) == {1: "Liver", 2: "Tumour"}
    assert read(labels={"0": "background", "1": "Liver"}) == {1: "Liver"}
    with pytest.raises(InputError, match="regions_class_order"):
        read(labels={"background": 0, "whole": [1, 2], "core": [2]})
    with pytest.raises(InputError, match="lists no labels"):
        read(channel_names={"0": "CT"})
    with pytest.raises(InputError, match="cannot be read"):
        read_naming(str(tmp_path / "absent.json"))


def test_the_command_writes_maps_and_agreement(scan: Path, tmp_path: Path, capsys: Capture) -> None:
    files = [write_npz(tmp_path / f"fold_{n}" / "case.npz", soft(organ(n), 0.97), organ(n)) for n in (0, 1)]
    output = tmp_path / "out"
    arguments = ["analyse", str(scan), "--output", str(output), "--labels", "1=Liver,2=Tumour", *LEAN]
    assert run([*arguments, "--json", "--probabilities", *map(str, files)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"maps/expected_entropy.nrrd", "maps/mutual_information.nrrd", "agreement.csv"} <= set(document["files"])
    assert document["members"]["noun"] == "probability map"
    assert document["members"]["structures"][0]["name"] == "Liver"
    assert document["notices"] == []


def test_exported_dicom_says_what_drew_it(tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("highdicom", reason="highdicom is not installed: pip install '.[export]'")
    import pydicom
    from phantoms import asymmetric_volume, write_dicom_series

    series = tmp_path / "series"
    write_dicom_series(series, asymmetric_volume(GRID), [f"{n}.dcm" for n in range(GRID.shape[0])])
    grid = read_volume(series).grid
    for option, files, kind in (
        ("--masks", [write_mask(tmp_path / f"{n}.nrrd", organ(n), grid) for n in (0, 1, 2)], "SEMIAUTOMATIC"),
        ("--probabilities", [write_npz(tmp_path / f"{n}.npz", soft(organ(n))) for n in (0, 1)], "AUTOMATIC"),
    ):
        result, exported = tmp_path / f"result{option}", tmp_path / f"dicom{option}"
        assert run(["analyse", str(series), option, *map(str, files), "--output", str(result), *LEAN]) == 0
        formats = ("--format", "dicom-seg", "--format", "dicom-map")
        assert run(["export", str(result), "--output", str(exported), *formats, "--source", str(series)]) == 0
        (first, _) = pydicom.dcmread(exported / "segmentation.dcm").SegmentSequence
        assert first.SegmentAlgorithmType == kind
        assert first.SegmentAlgorithmName.startswith("Consensus of ")
        assert (exported / "uncertainty-entropy.dcm").is_file()
    assert (exported / "uncertainty-mutual_information.dcm").is_file()
    capsys.readouterr()


def test_an_array_that_nnunet_s_turning_reader_left_is_turned_back(scan: Path, tmp_path: Path) -> None:
    ras = reorient_grid(GRID, "RAS")
    assert ras.shape != GRID.shape or not ras.matches(GRID)
    turned = np.stack([resample(Volume(channel, GRID), ras, "nearest").array for channel in soft(organ())])
    write_npz(tmp_path / "case.npz", turned, organ())
    result = analyse_probabilities(FusionInput(scan, [tmp_path / "case.npz"], NAMES))
    assert np.array_equal(result.labels.array, organ())


def test_outside_of_the_box_that_a_network_saw_is_background(scan: Path, tmp_path: Path) -> None:
    cropped = soft(organ())
    cropped[:, :, :, :2] = 0.0
    result = analyse_probabilities(FusionInput(scan, [write_npz(tmp_path / "case.npz", cropped.astype(np.float16))]))
    assert np.array_equal(result.labels.array, organ())
    assert (result.uncertainty.array[:, :, :2] == 0.0).all()


def test_a_missing_background_is_not_taken_for_the_outside_of_a_box(scan: Path, tmp_path: Path) -> None:
    ball = organ()
    ball[:, 3, 4] = 0  # no longer a box
    outlines = np.stack([ball == 1, ball == 2]).astype(np.float32)
    with pytest.raises(InputError, match="background missing"):
        analyse_probabilities(FusionInput(scan, [write_npz(tmp_path / "case.npz", outlines)]))
