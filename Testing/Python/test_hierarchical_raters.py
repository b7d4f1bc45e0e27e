"""Several readers: distances and their empty rules, PHiSeg's NCC, calibration, and the evaluation of a folder."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.evaluation.evaluate_raters import evaluate_raters, score_slice, summarise_raters
from SUREUncertaintyLib.evaluation.raters import RaterSlice, majority, read_rater_arrays
from SUREUncertaintyLib.evaluation.slice_predictor import SlicePrediction, create_slice_predictor
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.metrics.detection import error_detection
from SUREUncertaintyLib.metrics.multirater import (
    best_dice,
    correlation,
    cross_entropy_ncc,
    diversity,
    ged_squared,
    iou_distances,
    rater_calibration_error,
    rater_variance,
)
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.training.recipe import DataSection, InputSection
from SUREUncertaintyLib.training.training_cases import list_cases, load_cases
from tiny import build_tiny, with_metadata

A = np.array([1, 1, 0, 0, 0, 0], np.uint8)
B = np.array([0, 0, 0, 1, 1, 0], np.uint8)
NOTHING = np.zeros(6, np.uint8)


def test_ged_of_disjoint_equal_and_matching_sets() -> None:
    assert ged_squared(np.stack([A]), np.stack([B])) == pytest.approx(2.0)
    assert ged_squared(np.stack([A, A]), np.stack([A, A, A])) == pytest.approx(0.0)
    assert ged_squared(np.stack([A, B]), np.stack([A, B])) == pytest.approx(0.0)
    assert diversity(np.stack([A, B])) == pytest.approx(0.5)


def test_empty_masks_agree_with_empty_ones_only() -> None:
    distances = iou_distances(np.stack([A, NOTHING]), np.stack([A, NOTHING]))
    assert distances.tolist() == [[0.0, 1.0], [1.0, 0.0]]


@given(arrays(np.uint8, (3, 8), elements=st.integers(0, 1)), arrays(np.uint8, (4, 8), elements=st.integers(0, 1)))
def test_ged_is_symmetric_and_between_0_and_2(
    samples: np.ndarray[tuple[int, int], np.dtype[np.uint8]], readings: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
) -> None:
    value = ged_squared(samples, readings)
    assert -1e-12 <= value <= 2.0
    assert value == pytest.approx(ged_squared(readings, samples))


def test_best_dice_pairs_every_reading_with_its_nearest_sample() -> None:
    longer = np.array([1, 1, 1, 1, 0, 0], np.uint8)
    assert best_dice(np.stack([A, B]), np.stack([A, longer])) == pytest.approx((1.0 + 4 / 6) / 2)
    assert best_dice(np.stack([A, NOTHING]), np.stack([A, NOTHING])) == pytest.approx(1.0)
    assert best_dice(np.stack([A]), np.stack([A, NOTHING])) == pytest.approx(0.5)
    assert math.isnan(best_dice(np.stack([NOTHING]), np.stack([NOTHING])))


def test_ncc_is_1_where_samples_spread_as_readers_depart() -> None:
    fg = np.array([[0.9, 0.9, 0.1, 0.1], [0.9, 0.1, 0.1, 0.1]])
    probabilities = np.stack([1 - fg, fg], axis=1)
    reading = np.array([[1, 1, 0, 0]])
    logs = np.log(probabilities + 1e-8).mean(0)
    within = -(probabilities.mean(0) * logs).sum(0)
    across = -np.array([logs[1, 0], logs[1, 1], logs[0, 2], logs[0, 3]])
    assert cross_entropy_ncc(probabilities, reading) == pytest.approx(np.corrcoef(within, across)[0, 1])
    assert cross_entropy_ncc(probabilities, reading) == pytest.approx(1.0, abs=1e-6)
    assert cross_entropy_ncc(probabilities, np.array([[0, 1, 1, 1]])) < 0.6
    assert math.isnan(cross_entropy_ncc(np.full((2, 2, 4), 0.5), reading))


def test_correlation_and_rater_variance() -> None:
    readings = np.stack([A, A, B, NOTHING])
    assert rater_variance(readings).tolist() == [0.25, 0.25, 0.0, 0.1875, 0.1875, 0.0]
    x = np.arange(6.0)
    assert correlation(x, 3 - 2 * x) == pytest.approx(-1.0)
    assert math.isnan(correlation(x, np.ones(6)))


def test_calibration_compares_probability_with_the_share_of_readers() -> None:
    share = np.array([0.25, 0.25, 0.75, 1.0])
    assert rater_calibration_error(share, share) == pytest.approx(0.0)
    assert rater_calibration_error(np.array([0.55, 0.55, 0.75, 1.0]), share) == pytest.approx(0.3 * 2 / 4)


@pytest.mark.parametrize(("scores", "expected"), [((1, 2, 3, 4), 1.0), ((2, 2, 2, 2), 0.5), ((1, 2, 2, 3), 0.875)])
def test_auroc_by_ranks(scores: tuple[int, ...], expected: float) -> None:
    assert error_detection(np.array(scores, float), np.array([0, 0, 1, 1])).auroc == pytest.approx(expected)


def test_half_of_the_readers_are_a_majority() -> None:
    assert majority(np.array([[1, 1, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0]], np.uint8)).tolist() == [1, 1, 0]


def disk(radius: float, side: int = 16) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    grid = np.indices((side, side)) - (side - 1) / 2
    return (np.hypot(*grid) < radius).astype(np.uint8)


@pytest.fixture
def rater_folder(tmp_path: Path) -> Path:
    """Six slices of four nodules of three patients; readers draw disks of radius 3 to 6."""
    folder = tmp_path / "raters"
    folder.mkdir()
    bits = sum(disk(radius) << bit for bit, radius in enumerate((3, 4, 5, 6)))
    images = np.stack([disk(4.5) * 200 + np.uint8(n) for n in range(6)]).astype(np.uint8)
    np.savez(folder / "slices.npz", images=images, rater_bits=np.stack([bits] * 6).astype(np.uint8))
    rows = ["row,patient,nodule,slice,split", "0,P,n0,0,train", "1,P,n0,1,train", "2,P,n1,0,train"]
    rows += ["3,Q,n0,0,train", "4,R,n0,0,val", "5,R,n0,1,val"]
    (folder / "slices.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def planar_latent_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 6, 8], "posterior": "none"}
    return build_tiny(
        tmp_path_factory.mktemp("nodule") / "nodule",
        name="nodule",
        network={"name": "latent_unet", "arguments": arguments},
        head="softmax",
        spacing=None,
        patch=[16, 16],
        normalisation={"kind": "minmax", "per_slice": True},
        labels=[{"value": 0, "name": "background", "color": [0, 0, 0]}, {"value": 1, "name": "n", "color": [1, 0, 0]}],
        uncertainty={"primary": "mutual_information", "kinds": ["mutual_information"], "threshold": 0.1},
    )


@pytest.mark.torch
def test_a_folder_of_readings_is_scored_into_the_common_summary(
    rater_folder: Path, planar_latent_package: Package, tmp_path: Path
) -> None:
    engine = create_engine(planar_latent_package, "torch", "cpu")
    summary = evaluate_raters(rater_folder, planar_latent_package, engine, tmp_path / "out", 4, 7)
    written = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(summary))
    expected = {"ged2", "ncc", "ncc_variance", "diversity", "best_dice", "dice_majority", "rater_ece"}
    assert expected | {"auroc_disagreement", "area_coverage", "area_coverage_nodule"} == set(written["metrics"])
    assert (written["n_cases"], written["n_nodules"], written["n_groups"]) == (6, 4, 3)
    assert written["metrics"]["ged2"]["n"]["n"] == 3
    with (tmp_path / "out" / "slices.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 6
    only = evaluate_raters(rater_folder, planar_latent_package, engine, tmp_path / "val", 4, 7, "val")
    assert (only["n_cases"], only["n_groups"]) == (2, 1)
    with pytest.raises(InputError, match=r"split 'test'.*train, val"):
        evaluate_raters(rater_folder, planar_latent_package, engine, tmp_path / "no", split="test")


def test_slices_weigh_within_nodules_and_nodules_within_patients() -> None:
    def scored(patient: str, nodule: str, row: int, probability: float):  # type: ignore[no-untyped-def]
        fg = np.full((1, 4, 4), probability, np.float32)
        sample = np.stack([1 - fg, fg], axis=1)
        prediction = SlicePrediction(sample, sample[0], (fg[0] > 0.5).astype(np.uint8), np.zeros((4, 4), np.float32))
        return score_slice(RaterSlice(row, patient, nodule, row, ""), prediction, np.ones((2, 4, 4), np.uint8))

    rows = [scored("P", "a", 0, 1.0), scored("P", "a", 1, 0.8), scored("P", "b", 2, 0.6), scored("Q", "a", 3, 0.7)]
    summary = summarise_raters(rows, {"seed": 0}, "nodule")
    assert summary["metrics"]["rater_ece"]["mean"]["mean"] == pytest.approx(((0.1 + 0.4) / 2 + 0.3) / 2, abs=1e-6)
    assert summary["undefined"]["auroc_disagreement"]["mean"] == {"the readers agree everywhere": 4}


@pytest.mark.torch
def test_a_model_with_one_answer_is_scored_as_one_sample(rater_folder: Path, tiny_planar_package: Package) -> None:
    predictor = create_slice_predictor(tiny_planar_package, create_engine(tiny_planar_package, "torch", "cpu"))
    prediction = predictor.predict(read_rater_arrays(rater_folder / "slices.npz").images[0], (0,))
    assert prediction.samples.shape == (1, 3, 16, 16)
    assert prediction.sizes.size == 0


@pytest.mark.parametrize("samples", [0, -3])
def test_too_few_samples_are_refused(samples: int, planar_latent_package: Package) -> None:
    with pytest.raises(InputError, match="must be 1 or more"):
        create_slice_predictor(planar_latent_package, None, samples)  # type: ignore[arg-type]


@pytest.mark.torch
def test_the_same_seed_scores_the_same_and_slices_of_a_nodule_share_their_noise(
    rater_folder: Path, planar_latent_package: Package
) -> None:
    engine = create_engine(planar_latent_package, "torch", "cpu")
    predictor = create_slice_predictor(planar_latent_package, engine, 3, 5)
    images = read_rater_arrays(rater_folder / "slices.npz").images
    first, again, other = (predictor.predict(images[0], key) for key in ((0,), (0,), (1,)))
    assert np.array_equal(first.samples, again.samples)
    assert not np.array_equal(first.samples, other.samples)
    # image 1 is image 0 plus a constant: equal after scaling, so equal samples show the shared noise
    np.testing.assert_allclose(predictor.predict(images[1], (0,)).samples, first.samples, atol=1e-4)


@pytest.mark.torch
def test_scores_are_of_samples_at_the_temperature_of_the_package_and_sizes_stay(
    rater_folder: Path, planar_latent_package: Package
) -> None:
    engine = create_engine(planar_latent_package, "torch", "cpu")
    raw = planar_latent_package.metadata.raw
    warm = with_metadata(
        planar_latent_package, {"raw": {**raw, "uncertainty": {**raw["uncertainty"], "sample_temperature": 3.0}}}
    )
    image = read_rater_arrays(rater_folder / "slices.npz").images[0]
    plain, soft = (create_slice_predictor(one, engine, 3).predict(image, (0,)) for one in (planar_latent_package, warm))
    odds = [np.log(found.samples[:, 1] / found.samples[:, 0]) for found in (plain, soft)]
    np.testing.assert_allclose(odds[1], odds[0] / 3, atol=1e-4)
    assert np.array_equal(plain.sizes, soft.sizes)


@pytest.mark.parametrize("break_it", ["no csv", "no bits", "not numbers", "bad row"])
def test_damaged_folders_are_named(break_it: str, rater_folder: Path, planar_latent_package: Package) -> None:
    table, archive = rater_folder / "slices.csv", rater_folder / "slices.npz"
    if break_it == "no csv":
        table.unlink()
    elif break_it == "no bits":
        np.savez(archive, images=np.zeros((2, 4, 4), np.uint8))
    elif break_it == "not numbers":
        archive.write_bytes(b"PK not an archive")
    else:
        table.write_text(table.read_text(encoding="utf-8") + "\n9,R,n0,2,val")
    with pytest.raises(InputError, match=r"slices|folder"):
        evaluate_raters(rater_folder, planar_latent_package, None, rater_folder / "out")  # type: ignore[arg-type]


def test_training_takes_one_reader_at_random_and_leaves_tuning_patients_out(rater_folder: Path) -> None:
    section = DataSection(
        "slices.csv", arrays="slices.npz", id_column="row", group_column="patient", tuning_groups=("Q",)
    )
    files = list_cases(section, rater_folder)
    assert [case.id for case in files.training] == ["0", "1", "2"]
    assert [case.id for case in files.tuning] == ["3"]
    (case, *_) = load_cases(files.training, InputSection("LPS", None, {"kind": "minmax"}, (16, 16)))
    areas = {int(case.reading(np.random.default_rng(seed)).sum()) for seed in range(40)}
    assert areas == {int(disk(radius).sum()) for radius in (3, 4, 5, 6)}
    assert int(case.label.sum()) == int(disk(5).sum())
    assert (case.image.min(), case.image.max()) == (0.0, 1.0)
