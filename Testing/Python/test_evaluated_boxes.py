"""A case may name a box of its scan: what the model sees, what is judged, and what a wrong box costs."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from needed_torch import ENGINE
from phantoms import asymmetric_volume, tilted_grid
from scipy.spatial.transform import Rotation
from SUREUncertaintyLib.cli.app import app
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.roi import Roi, roi_mask
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.corruptions.registry import make_recipe
from SUREUncertaintyLib.difficulty.case_scale import Job, ScaleOptions, run_job
from SUREUncertaintyLib.difficulty.cohort_folder import _write_ids
from SUREUncertaintyLib.difficulty.extractors.registry import ExtractorOptions
from SUREUncertaintyLib.evaluation.case_evaluation import EvaluationOptions, evaluate_case
from SUREUncertaintyLib.evaluation.cases import Case, read_cases
from SUREUncertaintyLib.evaluation.evaluate import evaluate_cases
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.evaluation.progress_file import ProgressFile
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.metrics.calibration import expected_calibration_error
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.locator import Judgement, Locator
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.robustness.measure import run_robustness
from SUREUncertaintyLib.robustness.page import add_robustness_page
from SUREUncertaintyLib.robustness.series import SeriesOptions
from SUREUncertaintyLib.training.own_cases import find_pairs
from tiny import PointEngine, build_tiny, with_metadata
from typer.testing import CliRunner

SHAPE = (26, 30, 34)
FIRST, SIZE = (6, 5, 4), (20, 20, 18)
"""Of the box, (i, j, k)."""
BOX = "part=-26,-6,-25,-5,4,22"
"""The same in RAS mm, along voxel faces, on a grid of 1 mm whose first voxel's centre lies half a millimetre inside."""
HALF = Grid(SHAPE, (1.0, 1.0, 1.0), (0.5, 0.5, 0.5))
OPTIONS = EvaluationOptions(seed=3, noise_levels=(0.1, 0.5, 0.9))


def scan() -> Volume:
    rng = np.random.default_rng(8)
    array = rng.normal(size=SHAPE).astype(np.float32)
    array[8:18, 10:20, 12:22] += 3.0
    return Volume(array, HALF)


def labels() -> Volume:
    """One structure in the box, and one outside that nobody asked for."""
    array = np.zeros(SHAPE, np.uint8)
    array[9:17, 11:19, 13:21] = 1
    array[11:15, 13:17, 15:19] = 2
    array[22:25, 26:29, 28:33] = 1
    return Volume(array, HALF)


def cut(volume: Volume) -> Volume:
    (i, j, k), (ni, nj, nk) = FIRST, SIZE
    origin = tuple(0.5 + n for n in FIRST)
    grid = Grid((nk, nj, ni), (1.0, 1.0, 1.0), origin)  # type: ignore[arg-type]
    return Volume(volume.array[k : k + nk, j : j + nj, i : i + ni], grid)


def saved(folder: Path, name: str, volume: Volume) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_volume(volume, folder / name)
    return folder / name


def cut_case(case: Case, folder: Path) -> Case:
    return replace(case, image=saved(folder, "a.nrrd", cut(scan())), label=saved(folder, "l.nrrd", cut(labels())))


@pytest.fixture
def whole(tmp_path: Path) -> Case:
    return Case(saved(tmp_path, "a.nrrd", scan()), saved(tmp_path, "a-label.nrrd", labels()), "a", "a")


@pytest.fixture
def predictor(tiny_package: Package) -> NativePredictor:
    return NativePredictor(tiny_package, create_engine(tiny_package, ENGINE, "cpu"))


def test_a_box_is_judged_as_the_scan_that_was_cut_to_it(
    whole: Case, predictor: NativePredictor, tmp_path: Path
) -> None:
    boxed = evaluate_case(replace(whole, roi=BOX), predictor, OPTIONS)
    own = replace(
        whole,
        image=saved(tmp_path / "cut", "a.nrrd", cut(scan())),
        label=saved(tmp_path / "cut", "l.nrrd", cut(labels())),
    )
    alone = evaluate_case(own, predictor, OPTIONS)
    assert boxed.values.keys() == alone.values.keys()
    for metric, entry in alone.values.items():
        assert boxed.values[metric] == pytest.approx(entry, nan_ok=True, abs=1e-6), metric
    assert evaluate_case(whole, predictor, OPTIONS).value("dice", "mean") != boxed.value("dice", "mean")


def test_the_column_roi_is_read_with_files_beside_the_list(tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(f'image,id,roi\na.nrrd,one,"{BOX}"\na.nrrd,two,\na.nrrd,three,side=boxes/b.mrk.json\n', "utf-8")
    one, two, three = read_cases(table)
    assert one.region is not None
    assert (one.region.name, one.region.low, one.region.high) == ("part", (-26.0, -25.0, 4.0), (-6.0, -5.0, 22.0))
    assert two.region is None
    assert three.roi_file == tmp_path / "boxes" / "b.mrk.json"
    with pytest.raises(InputError, match=r"b\.mrk\.json does not exist"):
        _ = three.region


def test_a_box_that_cannot_be_used_fails_its_case_only(
    whole: Case, predictor: NativePredictor, tiny_package: Package, tmp_path: Path
) -> None:
    cases = [
        replace(whole, roi=BOX),
        replace(whole, id="typo", roi="part=1,2,3"),
        replace(whole, id="far", roi="part=900,910,0,10,0,10"),
    ]
    outcome = evaluate_cases(cases, tiny_package, predictor.engine, tmp_path / "out", OPTIONS)
    assert [failure["id"] for failure in outcome.summary["failed"]] == ["typo", "far"]
    assert "six numbers in mm" in outcome.summary["failed"][0]["error"]
    assert "lies outside the image" in outcome.summary["failed"][1]["error"]


def test_another_box_is_another_case_for_a_run_that_goes_on(whole: Case) -> None:
    keys = {ProgressFile.key(replace(whole, roi=roi)) for roi in ("", BOX, BOX.replace("-26", "-25"))}
    assert len(keys) == 3


def test_difficulty_scores_the_box_alone(whole: Case, tiny_package: Package, tmp_path: Path) -> None:
    options = ExtractorOptions("control-variance", known={1: "shell", 2: "core"})
    own = replace(
        whole,
        image=saved(tmp_path / "cut", "a.nrrd", cut(scan())),
        label=saved(tmp_path / "cut", "l.nrrd", cut(labels())),
    )
    found, boxed, alone = (
        run_job(Job(case, options, ScaleOptions())) for case in (whole, replace(whole, roi=BOX), own)
    )
    assert not boxed.error
    assert boxed.volumes_ml == alone.volumes_ml != found.volumes_ml
    assert boxed.scales == alone.scales


def test_a_model_for_boxes_is_judged_on_its_window_and_on_the_box() -> None:
    package = find_package("lung-nodule-ct")
    volume = Volume(np.zeros((4, 200, 220), np.float32), Grid((4, 200, 220), (1.0, 1.0, 1.0)))
    predictor = NativePredictor(package, create_engine(package))
    tight = replace(Case(Path("x"), None, "x", "x"), roi="n=-110,-100,-100,-90,0,4").region
    wide = replace(Case(Path("x"), None, "x", "x"), roi="n=-150,-60,-145,-45,0,4").region
    for roi, size in ((tight, (64, 64)), (wide, (100, 90))):
        shape = predictor.within(roi).judged(volume).of(volume.array).shape
        assert np.abs(np.subtract(shape[1:], size)).max() <= 1


def test_robustness_of_a_model_for_boxes_runs_in_a_large_scan(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    array = rng.normal(-700, 30, (3, 220, 230)).astype(np.float32)
    j, i = np.ogrid[:220, :230]
    array[:, (j - 100) ** 2 + (i - 90) ** 2 < 64] += 700
    image = saved(tmp_path, "chest.nrrd", Volume(array, Grid(array.shape, (1.0, 1.0, 2.0))))  # type: ignore[arg-type]
    command = ["robustness", str(image), "--model", "lung-nodule-ct", "--corruption", "gaussian", "--levels", "0.5"]
    whole = CliRunner().invoke(app, [*command, "--output", str(tmp_path / "w")])
    assert whole.exit_code != 0
    box = ["--roi", "Nodule=-122,-58,-132,-68,0,6", "--output", str(tmp_path / "r")]
    found = CliRunner().invoke(app, [*command, *box])
    assert found.exit_code == 0, found.output
    assert (tmp_path / "r" / "robustness.html").is_file()


def test_a_box_beside_a_list_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("image\na.nrrd\n", "utf-8")
    arguments = ["robustness", "--cases", str(table), "--roi", BOX, "--model", "m", "--corruption", "blur"]
    found = CliRunner().invoke(app, [*arguments, "--output", str(tmp_path / "o")])
    assert found.exit_code != 0
    assert "column roi" in str(found.output) + str(found.exception)


def test_lists_that_a_cohort_writes_keep_the_boxes_and_can_be_read(whole: Case, tmp_path: Path) -> None:
    cases = (replace(whole, roi=BOX), replace(whole, id="b", group="b"))
    _write_ids(tmp_path / "keep.csv", ["a", "b"], cases)
    assert read_cases(tmp_path / "keep.csv") == cases
    _write_ids(tmp_path / "plain.csv", ["b"], cases[1:])
    assert (tmp_path / "plain.csv").read_text("utf-8").splitlines()[0] == "image,label,id,group,split"


def test_on_an_oblique_scan_all_that_is_judged_was_analysed(predictor: NativePredictor) -> None:
    grid = tilted_grid()
    volume = asymmetric_volume(grid)
    middle = (grid.ijk_to_ras @ [*(n / 2 for n in grid.shape[::-1]), 1.0])[:3]
    roi = Roi("part", tuple(middle - 6.0), tuple(middle + 6.0))  # type: ignore[arg-type]
    assert not roi_mask(grid, roi).all()
    boxed = predictor.within(roi)
    found = boxed.predict(volume)
    assert found.labels.shape == boxed.judged(volume).of(volume.array).shape
    assert float(found.uncertainty.min()) > 0.0
    assert float(found.probabilities[0].max()) < 1.0
    (damaged,) = boxed.corrupted(volume, [make_recipe("gaussian", 0.0, 0, "a")])
    assert np.array_equal(damaged.uncertainty, found.uncertainty)


def oblique_ball(predictor: NativePredictor) -> tuple[NativePredictor, Volume, Roi]:
    """A model with windows of 16 mm, and a ball in a scan that lies 20 degrees askew in the patient."""
    box = Roi("Ball", (0.0, 0.0, 0.0), (16.0, 16.0, 16.0))
    package = with_metadata(predictor.package, {"locator": Locator("none", "a ball", (box,), Judgement(0.0, (), 0.5))})
    cosines = Rotation.from_euler("z", 20, degrees=True).as_matrix()
    grid = Grid((40, 44, 48), direction=tuple(cosines.ravel().tolist()))
    k, j, i = np.ogrid[:40, :44, :48]
    ball = (i - 24) ** 2 + (j - 22) ** 2 + (k - 20) ** 2 <= 25
    middle = (grid.ijk_to_ras @ (24, 22, 20, 1))[:3]
    roi = Roi("Ball", tuple((middle - 8).tolist()), tuple((middle + 8).tolist()))
    engine = PointEngine((-8.0, 8.0, 0.0), (4.0, 0.0, -20.0))
    return NativePredictor(package, engine), Volume((100.0 * ball).astype(np.float32), grid), roi  # type: ignore[arg-type]


def test_beyond_a_turned_window_nothing_is_analysed_and_nothing_is_measured(
    predictor: NativePredictor, tmp_path: Path
) -> None:
    model, volume, roi = oblique_ball(predictor)
    boxed = model.within(roi)
    found, part = boxed.predict(volume), boxed.judged(volume)
    run = segment(volume, model.package, model.engine, (roi,), follow=False)
    beyond = np.isnan(part.of(run.uncertainty.array))
    assert 0.2 < beyond.mean() < 0.6
    assert np.array_equal(np.isnan(found.uncertainty), beyond)
    assert np.array_equal(found.labels, part.of(run.labels.array))
    (damaged,) = boxed.corrupted(volume, [make_recipe("gaussian", 0.5, 0, "a")])
    (noisy,) = boxed.noisy(volume, [0.5], 0, "a")
    assert np.array_equal(np.isnan(damaged.uncertainty), beyond)
    assert np.array_equal(np.isnan(noisy), beyond)

    truth = np.asarray(volume.array > 0, np.uint8)
    scores = []
    for marked in (False, True):
        label = truth.copy()
        part.of(label)[~part.asked] = marked  # type: ignore[operator]
        scan, drawn = saved(tmp_path, "a.nrrd", volume), saved(tmp_path, "l.nrrd", Volume(label, volume.grid))
        text = "Ball=" + ",".join(f"{v:.3f}" for pair in zip(roi.low, roi.high, strict=True) for v in pair)
        scores.append(evaluate_case(Case(scan, drawn, "a", "a", roi=text), model, OPTIONS).values)
    plain, marked_beyond = scores
    for metric in ("dice", "ece", "brier", "auroc_error"):
        assert marked_beyond[metric] == pytest.approx(plain[metric], nan_ok=True), metric
    assert plain["dice"]["shell"] > 0.8
    analysed = ~beyond
    expected = expected_calibration_error(found.probabilities[1][analysed], part.of(truth)[analysed] == 1)
    assert plain["ece"]["shell"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("written", "name", "path"),
    [
        ("boxes/b.mrk.json", "", "boxes/b.mrk.json"),
        ("side=boxes/b.mrk.json", "side", "boxes/b.mrk.json"),
        ("side = boxes/b.mrk.json", "side", "boxes/b.mrk.json"),
        ("side=sub=1/b.mrk.json", "side", "sub=1/b.mrk.json"),
        ("sub/run=1/b.mrk.json", "", "sub/run=1/b.mrk.json"),
    ],
)
def test_folders_of_boxes_may_hold_an_equals_sign(tmp_path: Path, written: str, name: str, path: str) -> None:
    folder = tmp_path / "run=3"
    box = folder / path
    box.parent.mkdir(parents=True)
    markup = {"type": "ROI", "center": [0, 0, 0], "size": [2, 2, 2], "coordinateSystem": "RAS"}
    box.write_text(json.dumps({"markups": [markup]}), "utf-8")
    (folder / "cases.csv").write_text(f"image,roi\na.nrrd,{written}\n", "utf-8")
    (case,) = read_cases(folder / "cases.csv")
    assert case.roi_file == box
    assert case.region is not None
    assert case.region.name == (name or "b")
    before = ProgressFile.key(case)
    box.write_text(json.dumps({"markups": [{**markup, "size": [4, 4, 40]}]}), "utf-8")
    assert ProgressFile.key(case) != before


def test_results_say_which_box_was_judged(whole: Case, predictor: NativePredictor, tmp_path: Path) -> None:
    package, boxed = predictor.package, replace(whole, roi=BOX)
    options = SeriesOptions((0.3,))
    for case, rois in ((boxed, {"a": BOX}), (whole, None)):
        found = evaluate_cases([case], package, predictor.engine, tmp_path / "e", OPTIONS, overwrite=True)
        assert found.summary.get("rois") == rois
        robust = run_robustness(
            [case], predictor, ["blur"], tmp_path / "r", options, True, additions=(add_robustness_page,)
        )
        assert robust.document.get("rois") == rois
        page = (tmp_path / "r" / "robustness.html").read_text("utf-8")
        assert ("region part=" in page) == (rois is not None)


@pytest.mark.torch
def test_training_refuses_a_list_with_boxes_and_a_window_is_not_cut_to_one(whole: Case, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "cases.csv").write_text(f'image,label,roi\n{whole.image},{whole.label},"{BOX}"\n', "utf-8")
    with pytest.raises(InputError, match="names a region, but training reads whole scans"):
        find_pairs(tmp_path / "own")
    centred = build_tiny(tmp_path / "boxes", name="boxes", centred=True)
    options = ExtractorOptions(str(centred.root), engine=ENGINE)
    assert "sees a window around the middle" in run_job(Job(replace(whole, roi=BOX), options, ScaleOptions())).error
