"""The search for a model's structures in a whole scan: found in any pose, refused where they are not, never guessed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SUREUncertaintyLib as sure
from SUREUncertaintyLib.cli.app import app
from SUREUncertaintyLib.core.errors import Cancelled, EngineError, InputError, PackageError
from SUREUncertaintyLib.core.phantom import make_phantom
from SUREUncertaintyLib.core.resampling import resample
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import LPS_TO_RAS, Grid, Volume
from SUREUncertaintyLib.evaluation import searched_cases as searching
from SUREUncertaintyLib.evaluation.cases import Case, boxes_of
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.evaluation.progress_file import ProgressFile
from SUREUncertaintyLib.evaluation.searched_cases import searched_cases
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.inference.session import LiveSession
from SUREUncertaintyLib.location.choice import chosen_boxes, needs_search
from SUREUncertaintyLib.location.judge import belief
from SUREUncertaintyLib.location.locate import Located, locate
from SUREUncertaintyLib.location.search import turn_matrix
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.locator import Judgement, Term
from SUREUncertaintyLib.packages.metadata_parsing import parse_metadata
from SUREUncertaintyLib.packages.package import Package
from template_head import template_head
from tiny import tiny_document
from typer.testing import CliRunner

TURN = turn_matrix(24.0, 10.0, -8.0)
SHIFT = np.array([31.0, -22.0, 40.0])
FLIP = LPS_TO_RAS[:3, :3]


@pytest.fixture(scope="module")
def package() -> Package:
    return find_package("hippocampus-t1")


@pytest.fixture(scope="module")
def brain(package: Package) -> Volume:
    """The package's own template as a scan of 2 mm."""
    return template_head(package)


@pytest.fixture(scope="module")
def posed(brain: Volume) -> Volume:
    """The brain nodding by 24 degrees, turned, tilted and elsewhere, darker to one side, in another contrast, noisy."""
    direction = FLIP @ TURN @ FLIP @ np.reshape(brain.grid.direction, (3, 3))
    origin = FLIP @ (TURN @ (FLIP @ np.asarray(brain.grid.origin)) + SHIFT)
    turned = Grid(brain.grid.shape, brain.grid.spacing, tuple(origin.tolist()), tuple(direction.ravel().tolist()))
    size = 120
    centre = TURN @ (brain.grid.ijk_to_ras @ [*((n - 1) / 2 for n in brain.grid.shape[::-1]), 1.0])[:3] + SHIFT
    corner = FLIP @ (centre - size)
    straight = Grid((size, size, size), (2.0,) * 3, tuple(corner.tolist()), tuple(FLIP.ravel().tolist()))
    array = np.asarray(resample(Volume(brain.array, turned), straight).array, np.float32) / 255
    field = np.exp(0.4 * np.linspace(-1, 1, size))[None, None, :]
    noise = np.abs(np.random.default_rng(0).normal(0, 0.03, array.shape))
    return Volume((1000 * (array**0.6 * field + noise)).astype(np.float32), straight, "posed")


@pytest.fixture(scope="module")
def found(posed: Volume, package: Package) -> Located:
    return locate(posed, package)


def middles(rois: tuple[Roi, ...]) -> np.ndarray:
    return np.array([(np.asarray(roi.low) + roi.high) / 2 for roi in rois])


def test_boxes_lie_where_the_pose_carried_them_and_are_named_by_side(found: Located, package: Package) -> None:
    assert package.metadata.locator is not None
    expected = middles(package.metadata.locator.boxes) @ TURN.T + SHIFT
    assert [roi.name for roi in found.rois] == ["Left", "Right"]
    assert np.linalg.norm(middles(found.rois) - expected, axis=1).max() < 4.0
    assert np.allclose([np.subtract(roi.high, roi.low) for roi in found.rois], (36.0, 50.0, 40.0))
    assert found.belief >= 0.5


def test_the_same_scan_gives_the_same_boxes(found: Located, posed: Volume, package: Package) -> None:
    assert locate(posed, package).rois == found.rois


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)], ids=["upside down", "back to front", "both"])
def test_a_head_in_a_wrong_orientation_is_refused(axes: tuple[int, ...], brain: Volume, package: Package) -> None:
    flipped = brain.with_array(np.ascontiguousarray(np.flip(brain.array, axes)))
    with pytest.raises(InputError, match="found no place for its structures"):
        locate(flipped, package)


def test_a_brain_without_temporal_lobes_and_things_that_are_none_are_refused(brain: Volume, package: Package) -> None:
    emptied = np.asarray(brain.array, np.float32).copy()
    emptied[: len(emptied) // 2] = 0
    k, j, i = np.ogrid[-45:45, -55:55, -45:45]
    ball = ((k / 36) ** 2 + (j / 44) ** 2 + (i / 35) ** 2 < 1) * 100.0
    ball += np.random.default_rng(1).normal(0, 3, ball.shape)
    grid = Grid(ball.shape, (2.0, 2.0, 2.0))
    for scan in (brain.with_array(emptied), Volume(ball.astype(np.float32), grid), make_phantom()):
        with pytest.raises(InputError, match=r"found no place|too little to search"):
            locate(scan, package)


def test_a_judgement_is_a_logistic_sum_and_knows_what_it_judges_by() -> None:
    judgement = Judgement(0.5, (Term("local", 0.4, 0.2, 1.5), Term("rank", 0.5, 0.5, -1.0)), 0.5)
    assert belief(judgement, {"local": 0.8, "rank": 1.0}) == pytest.approx(1 / (1 + np.exp(-2.5)))
    with pytest.raises(PackageError, match="'rank'"):
        belief(judgement, {"local": 0.8})


def test_a_crop_is_a_box_already_and_a_head_is_searched(package: Package, brain: Volume, tiny_package: Package) -> None:
    assert needs_search(brain.grid, package.metadata)
    assert not needs_search(Grid((40, 50, 36)), package.metadata)
    assert not needs_search(brain.grid, tiny_package.metadata)


def test_auto_stands_alone_and_needs_a_model_that_can_search(
    brain: Volume, package: Package, tiny_package: Package
) -> None:
    with pytest.raises(InputError, match="Give it alone"):
        chosen_boxes(("auto", "left=0,1,0,1,0,1"), brain, package)
    with pytest.raises(InputError, match="cannot search"):
        chosen_boxes(("auto",), brain, tiny_package)
    assert chosen_boxes((), brain, tiny_package).rois == ()
    assert chosen_boxes(("left=0,1,0,2,0,3",), brain, package).rois == (Roi("left", (0, 0, 0), (1, 2, 3)),)


def test_a_failed_search_is_a_sentence_and_never_a_run(tmp_path: Path, brain: Volume) -> None:
    scan = tmp_path / "wrong.nii.gz"
    write_volume(brain.with_array(np.ascontiguousarray(brain.array[::-1])), scan)
    arguments = ["segment", str(scan), "--model", "hippocampus-t1", "--output", str(tmp_path / "out")]
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code != 0
    assert isinstance(outcome.exception, InputError)
    assert "a T1 scan of a whole head" in str(outcome.exception)
    assert not (tmp_path / "out").exists()


def test_a_session_searches_once_and_keeps_the_boxes_for_noise(posed: Volume, package: Package) -> None:
    session = LiveSession(package, "openvino", threads=1)
    session.open(posed)
    clean = session.segment()
    assert [roi.name for roi in clean.rois] == ["Left", "Right"]
    noisy = session.segment(posed.array + np.random.default_rng(2).normal(0, 5, posed.array.shape).astype(np.float32))
    assert noisy.rois == clean.rois
    assert session.preview(posed.array).rois == clean.rois


def test_a_script_searches_as_the_command_line_does_and_never_runs_on_the_whole_scan(
    posed: Volume, brain: Volume, package: Package, found: Located
) -> None:
    model = sure.load_model("hippocampus-t1", "openvino", threads=1)
    result = sure.segment(posed, model)
    expected = segment(posed, package, model.engine, found.rois, turn=found.turn)
    assert [roi.name for roi in result.rois] == ["Left", "Right"]
    assert np.array_equal(result.labels.array, expected.labels.array)
    assert np.array_equal(result.uncertainty.array, expected.uncertainty.array, equal_nan=True)
    wrong = brain.with_array(np.ascontiguousarray(brain.array[::-1]))
    with pytest.raises(InputError, match="found no place"):
        sure.segment(wrong, model)


def test_a_script_can_ask_for_the_search_or_write_a_box_as_the_command_line_does(tiny_package: Package) -> None:
    scan = make_phantom()
    with pytest.raises(InputError, match="cannot search"):
        sure.segment(scan, tiny_package.root, "auto")
    middle = (scan.grid.ijk_to_ras @ [*((n - 1) / 2 for n in scan.grid.shape[::-1]), 1.0])[:3]
    box = Roi("part", tuple((middle - 8).tolist()), tuple((middle + 8).tolist()))
    text = "part=" + ",".join(f"{v:.6f}" for pair in zip(box.low, box.high, strict=True) for v in pair)
    written, given = (sure.segment(scan, tiny_package.root, roi) for roi in (text, box))
    assert np.array_equal(written.labels.array, given.labels.array)


def test_a_case_that_says_auto_becomes_one_a_box(
    tmp_path: Path, posed: Volume, brain: Volume, package: Package
) -> None:
    good, wrong = tmp_path / "good.nii.gz", tmp_path / "wrong.nii.gz"
    write_volume(posed, good)
    write_volume(brain.with_array(np.ascontiguousarray(brain.array[::-1])), wrong)
    cases = [
        Case(good, None, "a", "a", roi="auto"),
        Case(wrong, None, "b", "b"),
        Case(good, None, "c", "c", roi="x=0,9,0,9,0,9"),
    ]
    left, right, refused, given = searched_cases(cases, package, create_engine(package, "openvino", threads=1))
    assert [case.id for case in (left, right, refused, given)] == ["a Left", "a Right", "b", "c"]
    assert left.group == right.group == "a"
    assert left.region is not None
    assert left.region.name == "Left"
    with pytest.raises(InputError, match="found no place"):
        _ = refused.region
    assert given == cases[2]


def test_a_turned_head_is_evaluated_in_the_windows_that_segment_reads(
    tmp_path: Path, posed: Volume, package: Package, found: Located
) -> None:
    scan = tmp_path / "a.nii.gz"
    write_volume(posed, scan)
    engine = create_engine(package, "openvino", threads=1)
    cases = searched_cases([Case(scan, None, "a", "a", roi="auto")], package, engine)
    run = segment(posed, package, engine, found.rois, turn=found.turn)
    assert run.provenance["turn"] == found.turn.tolist()
    step = max(label.value for label in package.metadata.foreground)
    for number, case in enumerate(cases):
        predictor = NativePredictor(package, engine).within(case.region, case.pose)
        part, said = predictor.judged(posed), predictor.predict(posed)
        own = part.of(run.labels.array).astype(int) - number * step
        assert np.array_equal(said.labels, np.where((own > 0) & (own <= step), own, 0))
        assert part.asked is not None
        assert np.isnan(said.uncertainty).any()
        assert ProgressFile.key(case) != ProgressFile.key(replace(case, turn=()))
    assert boxes_of(cases)["turns"] == {case.id: list(case.turn) for case in cases}


def test_whatever_fails_in_a_case_fails_that_case_and_never_the_list(
    tmp_path: Path, posed: Volume, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, text = tmp_path / "good.nii.gz", tmp_path / "text.nii.gz"
    write_volume(posed, good)
    text.write_text("no scan")
    cases = [
        Case(text, None, "text", "text", roi="auto"),
        Case(tmp_path / "absent.nii.gz", None, "absent", "absent", roi="auto"),
        Case(good, None, "last", "last", roi="auto"),
    ]

    def failing(error: Exception) -> Callable[..., None]:
        def run(*_: object, **__: object) -> None:
            raise error

        return run

    for error, sentence in ((EngineError("The engine failed."), "^The engine failed"), (OSError("gone"), "last.*gone")):
        monkeypatch.setattr(searching, "segment", failing(error))
        found = searched_cases(cases, package, create_engine(package, "openvino", threads=1))
        assert [case.id for case in found] == ["text", "absent", "last"]
        for case, told in zip(found, ("text.nii.gz", "does not exist", sentence), strict=True):
            with pytest.raises(InputError, match=told):
                _ = case.region
    monkeypatch.setattr(searching, "segment", failing(Cancelled()))
    with pytest.raises(Cancelled):
        searched_cases(cases[2:], package, create_engine(package, "openvino", threads=1))


def test_a_case_cannot_ask_a_model_that_cannot_search(tiny_package: Package) -> None:
    with pytest.raises(InputError, match="cannot search"):
        searched_cases([Case(Path("x.nii"), None, "x", "x", roi="auto")], tiny_package, None)  # type: ignore[arg-type]


LOCATOR: dict[str, Any] = {
    "template": "locator/template.nii.gz",
    "scan": "a phantom",
    "boxes": [{"name": "One", "low_ras_mm": [0, 0, 0], "high_ras_mm": [1, 2, 3]}],
    "judgement": {"bias": 0.0, "terms": [{"measure": "local", "mean": 0, "scale": 1, "weight": 1}], "accept": 0.5},
}


@pytest.mark.torch
def test_a_locator_is_read_into_typed_facts() -> None:
    locator = parse_metadata(_complete(LOCATOR)).locator
    assert locator is not None
    assert locator.boxes == (Roi("One", (0, 0, 0), (1, 2, 3)),)
    assert locator.judgement.terms == (Term("local", 0, 1, 1),)
    assert parse_metadata(_complete(None)).locator is None


@pytest.mark.torch
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"template": "../template.nii.gz"}, "locator.template"),
        ({"template": "template.pkl"}, "locator.template"),
        ({"boxes": []}, "locator.boxes"),
        ({"boxes": LOCATOR["boxes"] * 2}, "locator.boxes"),
        ({"boxes": [{"name": "One", "low_ras_mm": [0, 0, 0], "high_ras_mm": [1, 2, 0]}]}, "high_ras_mm"),
        ({"judgement": {"bias": 0.0, "terms": [], "accept": 0.5}}, "locator.judgement.terms"),
        ({"scan": ""}, "locator.scan"),
    ],
)
def test_a_wrong_locator_is_refused_by_the_fields_name(change: dict[str, Any], field: str) -> None:
    with pytest.raises(PackageError, match=field.replace(".", r"\.")):
        parse_metadata(_complete(LOCATOR | change))


def _complete(locator: dict[str, Any] | None) -> dict[str, Any]:
    from SUREUncertaintyLib.packages.bundle import complete_document

    return complete_document(tiny_document(**({"locator": locator} if locator else {})), (1, 1, 16, 16, 16))
